// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import io.faultline.host.linux.SyscallNumber;
import java.util.Optional;

/** Calls that change what memory calls do, and that a recording has no line for. */
final class ProcessControl {
  private static final int PR_SET_MM = 35;
  private static final int PR_SET_THP_DISABLE = 41;
  private static final int PR_SET_MDWE = 65;
  private static final int PR_SET_MEMORY_MERGE = 67;
  private static final int MAP_SHADOW_STACK = 453;

  private ProcessControl() {}

  /** What to say about a call, if there is anything. */
  static Optional<String> warning(Entered call, long result) {
    if (CallText.failed(result)) {
      return Optional.empty();
    }
    String name = switch (call.number()) {
      case SyscallNumber.PRCTL -> switch (call.intArg(0)) {
        case PR_SET_MM -> "prctl(PR_SET_MM)";
        case PR_SET_THP_DISABLE -> "prctl(PR_SET_THP_DISABLE)";
        case PR_SET_MDWE -> "prctl(PR_SET_MDWE)";
        case PR_SET_MEMORY_MERGE -> "prctl(PR_SET_MEMORY_MERGE)";
        default -> "";
      };
      case SyscallNumber.USERFAULTFD -> "userfaultfd()";
      case MAP_SHADOW_STACK -> "map_shadow_stack()";
      default -> "";
    };
    return name.isEmpty()
        ? Optional.empty()
        : Optional.of(name + " changes memory calls, and a recording cannot say so");
  }
}
