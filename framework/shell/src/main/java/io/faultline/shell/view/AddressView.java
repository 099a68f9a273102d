// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import io.faultline.shell.word.Address;

/**
 * An address that a call returned; as a word it is {@code 0x…}.
 *
 * @param address the address
 */
public record AddressView(Address address) implements View {
  /** The view of an address in bytes. */
  public static AddressView of(long address) {
    return new AddressView(new Address(address));
  }

  @Override
  public String text() {
    return address.toString();
  }

  @Override
  public String toString() {
    return address.toString();
  }
}
