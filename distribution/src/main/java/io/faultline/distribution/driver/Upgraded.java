// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import io.faultline.kernel.Upgrade;
import org.osgi.framework.Version;

/**
 * What an upgrade did.
 *
 * @param driver its bundle's symbolic name
 * @param from the version that is gone
 * @param to the version that serves
 * @param upgrade what the kernel handed over
 */
record Upgraded(String driver, Version from, Version to, Upgrade upgrade) {}
