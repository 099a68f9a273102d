// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.harness;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The tests of the class run inside a Felix of their own, which is started for the class and stopped
 * after it. Every bundle of the distribution is there, on its start level, and no driver is.
 *
 * <p>Each test is a JUnit run of its own inside: {@code @BeforeAll} and {@code @AfterAll} run round
 * each test. One that fails leaves nothing to the next: its processes are ended, its bundles
 * uninstalled, its configurations deleted.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(FelixExtension.class)
public @interface InFelix {}
