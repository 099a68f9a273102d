// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** What the driver's test says of the device's pages; whatever is not overridden is not said. */
final class Said {
  private final DriverCompliance compliance;
  private final boolean pages;
  private final boolean registers;

  Said(DriverCompliance compliance) {
    this.compliance = compliance;
    pages = overrides("hasPage", int.class);
    registers = overrides("showsRegisters") || overrides("showsRegisters", int.class);
  }

  /** Whether the device has a page; null when that depends on what {@code read} has. */
  @Nullable Boolean hasPage(int page, boolean canRead) {
    boolean has = compliance.hasPage(page);
    OptionalInt size = compliance.size();
    return has && !pages && (canRead || size.isEmpty()) ? null : (Boolean) has;
  }

  /** Whether the device has a page, as far as its test says so. */
  boolean has(int page) {
    return Boolean.TRUE.equals(hasPage(page, false));
  }

  /** The first place that shows a page. */
  int firstViewOf(int page) {
    return compliance.firstViewOf(page);
  }

  /** Whether a page shows registers. */
  boolean showsRegisters(int page) {
    return compliance.showsRegisters(page);
  }

  /** For a page that does not hold what it should hold: the other thing that it may be. */
  String registersHint() {
    return registers
        ? ""
        : "; if what it shows is registers, which need not hold what is stored, override"
            + " showsRegisters(page)";
  }

  private boolean overrides(String method, Class<?>... parameters) {
    Class<?> type = compliance.getClass();
    while (type != null && type != DriverCompliance.class) {
      try {
        Object unused = type.getDeclaredMethod(method, parameters);
        return true;
      } catch (NoSuchMethodException notHere) {
        type = type.getSuperclass();
      }
    }
    return false;
  }
}
