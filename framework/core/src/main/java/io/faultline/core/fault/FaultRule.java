// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.core.area.Rule;
import io.faultline.kernel.Decision.Kind;

/** How a page fault ends, and by which rule. */
enum FaultRule implements Rule {
  SUPPLIED(
      Kind.FAULT, "the access is allowed and there is a page",
      "handle_mm_fault", AreaFaults.class),
  HUGE_READ(
      Kind.ANON_VMA, "a read where a huge page would fit",
      "RULES 20, do_huge_pmd_anonymous_page", HugePageRule.class),

  PROCESS_GONE(
      Kind.FAULT, "the process has no memory",
      "do_user_addr_fault", PageFaultHandler.class),
  NOT_CANONICAL(
      Kind.FAULT, "the address is not canonical",
      "RULES 23, exc_general_protection", PageFaultHandler.class),
  KERNEL_ADDRESS(Kind.FAULT, "a kernel address", "do_kern_addr_fault", PageFaultHandler.class),
  NOTHING_MAPPED(Kind.FAULT, "nothing is mapped there", "bad_area", PageFaultHandler.class),
  ACCESS_DENIED(Kind.FAULT, "the area does not allow it", "access_error", PageFaultHandler.class),
  KEY_DENIES(
      Kind.FAULT, "the protection key denies it",
      "RULES 15, arch_vma_access_permitted", PageFaultHandler.class),
  GUARD_PAGE(Kind.FAULT, "a guard page is there", "RULES 16, handle_pte_marker", AreaFaults.class),
  NO_PAGE(Kind.FAULT, "the mapping has no page there", "RULES 20, do_fault", AreaFaults.class),
  BUS_ERROR(
      Kind.FAULT, "the device behind the page did not take the access",
      "RULES 25", PageFaultHandler.class),
  OUT_OF_MEMORY(Kind.FAULT, "physical memory is used up", "handle_mm_fault", AreaFaults.class);

  private final Facts facts;

  FaultRule(Kind kind, String text, String source, Class<?> decider) {
    this.facts = new Facts(kind, text, source, decider);
  }

  @Override
  public Facts facts() {
    return facts;
  }
}
