// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.jfr;

/**
 * Whether Flight Recorder can be used here. While it records, it adds code to the event classes that
 * uses a package of its own, which a bundle sees only where the framework delegates it to the JDK
 * ({@code org.osgi.framework.bootdelegation=jdk.jfr.internal.event}). Where it does not there are no
 * events; without this look there would be an error instead, in the middle of a page fault.
 */
final class Recorder {
  /** A constant to the compiler: a kernel is not slower for asking. */
  static final boolean USABLE = usable();

  private Recorder() {}

  private static boolean usable() {
    try {
      Class.forName(
          "jdk.jfr.internal.event.EventWriter", false, Recorder.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | LinkageError notDelegated) {
      return false;
    }
  }
}
