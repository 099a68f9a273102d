// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import org.jspecify.annotations.Nullable;

/** What is to be done with a driver's object during one guarded call. */
@FunctionalInterface
interface DriverCall<T, R extends @Nullable Object> {
  R on(T target) throws Throwable;
}
