// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Proves a driver right, or shows where it is wrong: a driver's test extends {@link
 * io.faultline.testkit.compliance.DriverCompliance} and says how to make the driver.
 *
 * <p>A check is a <em>history</em>: what processes do with the device, step by step, in a kernel of its
 * own. The driver runs behind an {@code ObservedDriver}, which has the same methods and no others, so
 * that the kernel sees the same null entries; a model knows what each page must show. When a rule is
 * broken the history is made as short as it can be, and {@link
 * io.faultline.testkit.compliance.BrokenRuleError} tells the rule, the book's page and the history
 * with the driver's calls under each step.
 */
@NullMarked
package io.faultline.testkit.compliance;

import org.jspecify.annotations.NullMarked;
