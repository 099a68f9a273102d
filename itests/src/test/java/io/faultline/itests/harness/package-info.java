// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Runs Jupiter tests inside a real Felix with the distribution's bundles, by way of Pax Exam, which
 * has no driver for JUnit 5. Mark a test class {@link io.faultline.itests.harness.InFelix @InFelix}
 * and write it as any other; its methods may ask for {@link org.osgi.framework.BundleContext} and for
 * services as parameters.
 */
@NullMarked
package io.faultline.itests.harness;

import org.jspecify.annotations.NullMarked;
