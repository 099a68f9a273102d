// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.kernel.Credentials;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Limits;
import io.faultline.kernel.MmLayout;
import java.util.List;

/**
 * {@code meta.json}: on what machine, and as what process, a recording was made.
 *
 * @param command the program and its arguments
 * @param profile the machine's facts
 * @param layout the fields of the recorded {@code mm_struct}
 * @param limits the limits in force at the beginning
 * @param credentials who the process was
 */
public record Meta(
    List<String> command,
    KernelProfile profile,
    MmLayout layout,
    Limits limits,
    Credentials credentials) {
  /** Copies the list. */
  public Meta {
    command = List.copyOf(command);
  }
}
