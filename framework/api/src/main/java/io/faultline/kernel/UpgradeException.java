// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * A driver could not be replaced. The old version has never stopped; the message names the step and
 * says why.
 */
public final class UpgradeException extends Exception {
  private static final long serialVersionUID = 1L;

  /** The steps of an upgrade, in their order. */
  public enum Step {
    /** Installing the new version's bundle. */
    INSTALL,
    /** Resolving it: all packages that it imports are there. */
    RESOLVE,
    /** Starting it: its services are there. */
    START,
    /** Finding a device of the new version for each one of the old. */
    MATCH,
    /** {@link io.faultline.device.HandOver#selfTest}. */
    SELF_TEST,
    /** Waiting until no call is under way. */
    DRAIN,
    /** {@link io.faultline.device.HandOver#saveState}. */
    SAVE,
    /** {@link io.faultline.device.HandOver#restoreState}. */
    RESTORE,
    /** {@link io.faultline.device.HandOver#adopt}. */
    ADOPT
  }

  private final Step step;

  /**
   * @param reason for a person to read
   */
  public UpgradeException(Step step, String reason) {
    super(step.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-') + ": " + reason);
    this.step = step;
  }

  /** Where it failed. */
  public Step step() {
    return step;
  }
}
