// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.osgi.service.component.annotations.ComponentPropertyType;

/**
 * The device nodes that a driver's {@link MmapProvider} component serves. A component property type:
 * {@code @Component @Device(name = "scullp", count = 4)} makes the nodes {@code /dev/scullp0} to
 * {@code /dev/scullp3}; with {@code count = 1} the node is {@code /dev/scullp}, without a digit.
 *
 * <p>The service properties are {@code device.name}, {@code device.major}, {@code device.minor},
 * {@code device.count}, {@code device.mode}, {@code device.timeoutMillis} and {@code device.unplug}; a
 * service that is registered by hand sets the same ones. A configuration with the component's PID
 * overrides them: {@code device.unplug = wait}.
 */
@ComponentPropertyType
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface Device {
  /** The prefix of the element names. */
  String PREFIX_ = "device.";

  /** The node's name below {@code /dev}, without a slash. */
  String name();

  /** The major number, or 0 to be given a free one ({@code alloc_chrdev_region}). */
  int major() default 0;

  /** The first minor number. */
  int minor() default 0;

  /** How many nodes with consecutive minor numbers. */
  int count() default 1;

  /**
   * The nodes' permission bits, in octal notation. They are root's, who may open them whatever it says;
   * for all others the last digit decides.
   */
  String mode() default "0666";

  /** How long one callback may take before it counts as hung, in milliseconds. */
  int timeoutMillis() default 2000;

  /** What answers accesses while the driver is not there. */
  UnplugPolicy unplug() default UnplugPolicy.SIGBUS;
}
