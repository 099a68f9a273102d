// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Has Felix forget bundles that were uninstalled. Two of its parts never do by themselves, and with
 * each bundle they keep its headers and wiring, 8 KiB or so: the framework's registry of services
 * (7.0.5), and the log (1.3.0). A kernel whose drivers are replaced for months would notice.
 */
@NullMarked
package io.faultline.distribution.forget;

import org.jspecify.annotations.NullMarked;
