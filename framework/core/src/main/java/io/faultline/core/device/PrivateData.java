// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import org.jspecify.annotations.Nullable;

/** What of a driver's private data outlives the driver. */
public final class PrivateData {
  private PrivateData() {}

  /** Values of classes that all versions of a driver share, and that lead to no other; else null. */
  public static @Nullable Object carried(@Nullable Object data) {
    boolean plain = data instanceof String || data instanceof Boolean
        || data instanceof Character
        || data instanceof Number && data.getClass().getName().startsWith("java.lang.")
        || data != null && data.getClass().isArray()
            && data.getClass().getComponentType().isPrimitive();
    return plain ? data : null;
  }
}
