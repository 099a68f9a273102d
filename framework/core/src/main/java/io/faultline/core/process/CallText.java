// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.mm.Mman;

/** System calls as text, in the manner of {@code strace}. Stateless. */
final class CallText {
  private CallText() {}

  static String call(String name, long... arguments) {
    StringBuilder text = new StringBuilder(name).append('(');
    for (int i = 0; i < arguments.length; i++) {
      text.append(i == 0 ? "" : ", ").append(result(arguments[i]));
    }
    return text.append(')').toString();
  }

  /** Small numbers are decimal, addresses hexadecimal. */
  static String result(long value) {
    return value > -Mman.PAGE_SIZE && value < 1 << 24
        ? Long.toString(value)
        : "0x" + Long.toHexString(value);
  }
}
