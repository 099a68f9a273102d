// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import org.jspecify.annotations.Nullable;

/**
 * What the engine answered: a value, an error number or a signal.
 *
 * @param value the value; 0 for a call that has none
 * @param errno the error, or null
 * @param signal the signal, or null
 */
record Answer(long value, @Nullable Errno errno, @Nullable SignalCode signal) {
  /** Something that the engine does. */
  @FunctionalInterface
  interface Action {
    long run() throws ErrnoException;
  }

  /** The engine threw what no caller may see. */
  static final class EngineBroken extends AssertionError {
    private static final long serialVersionUID = 1L;

    EngineBroken(RuntimeException thrown) {
      super("the engine threw " + thrown, thrown);
    }
  }

  /**
   * @throws EngineBroken where it throws neither an errno nor a signal
   */
  static Answer of(Action action) {
    try {
      return new Answer(action.run(), null, null);
    } catch (ErrnoException refused) {
      assertThat(refused.getMessage()).as("detail of %s", refused.errno()).isNotBlank();
      return new Answer(0, refused.errno(), null);
    } catch (SignalException refused) {
      return new Answer(0, null, refused.info().code());
    } catch (RuntimeException thrown) {
      throw new EngineBroken(thrown);
    }
  }

  boolean failed() {
    return errno != null || signal != null;
  }

  void mustBe(Errno expected, String why) {
    assertThat(this).as(why).isEqualTo(new Answer(0, expected, null));
  }

  void mustBe(SignalCode expected, String why) {
    assertThat(this).as(why).isEqualTo(new Answer(0, null, expected));
  }

  void mustBe(long expected, String why) {
    assertThat(this).as(why).isEqualTo(new Answer(expected, null, null));
  }

  @Override
  public String toString() {
    if (errno != null) {
      return errno.name();
    }
    return signal != null ? signal.name() : "0x" + Long.toHexString(value);
  }
}
