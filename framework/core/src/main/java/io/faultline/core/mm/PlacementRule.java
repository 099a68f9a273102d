// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Rule;
import io.faultline.kernel.Decision.Kind;

/** The rules that choose an address, and those that refuse one. */
enum PlacementRule implements Rule {
  FIXED(Kind.PLACEMENT, "the address is the caller's order", "__get_unmapped_area", Placer.class),
  HINT_RAISED(
      Kind.PLACEMENT, "the hint is too low and was raised",
      "RULES 13, round_hint_to_min", Placer.class),
  HINT_TAKEN(Kind.PLACEMENT, "the hint is free", "arch_get_unmapped_area_topdown", Placer.class),
  HINT_REFUSED(
      Kind.PLACEMENT, "the hint is not free",
      "arch_get_unmapped_area_topdown", Placer.class),
  HINT_IN_STACK_GAP(
      Kind.PLACEMENT, "the hint lies in the guard gap of a stack",
      "RULES 17, arch_get_unmapped_area_topdown", Placer.class),
  TOP_DOWN(
      Kind.PLACEMENT, "the highest gap below mmap_base",
      "arch_get_unmapped_area_topdown", Placer.class),
  BOTTOM_UP_FALLBACK(
      Kind.PLACEMENT, "no gap below mmap_base: the lowest gap above a third of user space",
      "arch_get_unmapped_area", Placer.class),
  LEGACY_BOTTOM_UP(
      Kind.PLACEMENT, "legacy layout: the lowest gap above a third of user space",
      "RULES 18, arch_get_unmapped_area", Placer.class),
  LOW_32_BIT(
      Kind.PLACEMENT, "MAP_32BIT: the lowest gap between 1 and 2 GiB",
      "arch_get_unmapped_area", Placer.class),
  HUGE_ALIGNED(
      Kind.PLACEMENT, "moved to 2 MiB within a gap 2 MiB longer",
      "RULES 8, thp_get_unmapped_area", Placer.class),

  CHECKS(Kind.CHECK, "the checks of an address", "__get_unmapped_area", Placer.class),
  LOWEST_ADDRESS(Kind.CHECK, "the lowest address", "RULES 13, cap_mmap_addr", Placer.class),
  ERROR_ADDRESS(
      Kind.CHECK, "an address among the error numbers",
      "RULES 14, __get_unmapped_area", Placer.class);

  private final Facts facts;

  PlacementRule(Kind kind, String text, String source, Class<?> decider) {
    this.facts = new Facts(kind, text, source, decider);
  }

  @Override
  public Facts facts() {
    return facts;
  }
}
