// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

/** What a thread of the soak does with one device, over and over. */
interface Work extends AutoCloseable {
  /** One round; every access may be checked by the next. */
  void round(long number) throws Exception;

  /** Its processes end. */
  @Override
  void close();
}
