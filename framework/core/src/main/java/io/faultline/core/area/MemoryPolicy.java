// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

/**
 * From which nodes an area's pages come ({@code struct mempolicy}); an area without one has the
 * process's. There is one node here, so that a policy steers nothing: it only keeps areas apart, since
 * two areas join only if their policies are equal ({@code mpol_equal}). Immutable.
 *
 * @param mode {@code MPOL_…}, without its flags
 * @param flags {@code MPOL_F_…}
 * @param nodes whether the policy names node 0, the only one that there is
 * @param userNodes the nodes as they were asked for, where the flags keep them; else of length 0
 */
public record MemoryPolicy(int mode, int flags, boolean nodes, NodeMask userNodes) {}
