// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

/**
 * A rule that a driver has broken.
 *
 * @param rule which
 * @param what what it did, with the values
 */
record Violation(Rule rule, String what) {}
