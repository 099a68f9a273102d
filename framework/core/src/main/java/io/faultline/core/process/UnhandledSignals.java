// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.mm.Access;
import io.faultline.mm.Siginfo;

/** Hears of refused accesses whose signal the process does not handle. No kernel lock is held. */
@FunctionalInterface
interface UnhandledSignals {
  /** The signal's default action. */
  void refused(TaskObject task, Siginfo info, Access access);
}
