// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class whose tests each have a kernel of their own, booted in a millisecond or two, without
 * a container: constructors and methods may take a {@link Kernel} or a {@link BootedKernel}. (With
 * {@code @TestInstance(PER_CLASS)} and a constructor that takes it, the kernel is the class's.)
 *
 * <p>When the test is over the kernel is checked and shut down, and the test fails if its parts
 * disagree or a frame of physical memory is left behind ({@link BootedKernel#close}).
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@Inherited
@ExtendWith(KernelExtension.class)
public @interface FaultlineTest {
  /** Physical memory in bytes, a multiple of the page size. */
  long memory() default 64 << 20;

  /** {@code vm.max_map_count}: how many areas an address space may have. */
  int maxMapCount() default 65530;
}
