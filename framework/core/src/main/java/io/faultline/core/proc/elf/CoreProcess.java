// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import io.faultline.core.mm.AddressSpace;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The process of a core.
 *
 * @param arguments its command line
 * @param auxiliary what its image says of its auxiliary vector
 * @param filter bits of {@link io.faultline.kernel.CoreFilter}
 * @param signal what it dies of; null when it lives on
 */
public record CoreProcess(
    int pid,
    int parentPid,
    String name,
    List<String> arguments,
    Map<Integer, Long> auxiliary,
    AddressSpace space,
    int filter,
    @Nullable DeathSignal signal) {}
