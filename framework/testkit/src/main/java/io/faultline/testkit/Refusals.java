// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Assertions about calls and accesses that the kernel refuses. */
public final class Refusals {
  private Refusals() {}

  /** The call fails with that error number, and a detail for people. */
  public static void assertFails(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(ErrnoException.class, e -> {
      Assertions.assertThat(e.errno()).as(e.toString()).isEqualTo(errno);
      Assertions.assertThat(e.getMessage()).isNotBlank();
    });
  }

  /** The access gets SIGBUS (BUS_ADRERR) at that address. */
  public static void assertSigbus(long address, ThrowingCallable access) {
    assertSignal(SignalCode.BUS_ADRERR, address, access);
  }

  /** The access gets that signal at that address. */
  public static void assertSignal(SignalCode code, long address, ThrowingCallable access) {
    assertThatThrownBy(access).isInstanceOfSatisfying(SignalException.class, e -> {
      Assertions.assertThat(e.info().code()).as(e.toString()).isEqualTo(code);
      Assertions.assertThat(e.info().address()).as("address of %s", e).isEqualTo(address);
    });
  }
}
