// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.osgi.annotation.bundle.Requirement;

/**
 * Makes a driver's bundle require the kernel, so that a resolver brings it along. Put it on the
 * driver's component or package.
 */
@Requirement(
    namespace = "osgi.implementation",
    name = RequireFaultline.CAPABILITY,
    version = RequireFaultline.VERSION)
@Retention(RetentionPolicy.CLASS)
@Target({ElementType.TYPE, ElementType.PACKAGE})
public @interface RequireFaultline {
  /** The name of the {@code osgi.implementation} capability that the kernel core provides. */
  String CAPABILITY = "faultline.mm";

  /** The version of that capability. */
  String VERSION = "1.0.0";
}
