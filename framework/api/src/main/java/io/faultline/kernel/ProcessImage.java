// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a new process looks like right after {@code execve}. Immutable.
 *
 * @param name the command's name ({@code comm})
 * @param profile the facts of its machine
 * @param layout the fields of its {@code mm_struct}
 * @param limits its resource limits
 * @param credentials who it is
 * @param areas its first areas, ascending and disjoint
 * @param objects names kernel objects; null leaves it to the kernel
 */
public record ProcessImage(
    String name,
    KernelProfile profile,
    MmLayout layout,
    Limits limits,
    Credentials credentials,
    List<InitialArea> areas,
    @Nullable KernelObjects objects) {
  /** Copies the list of areas. */
  public ProcessImage {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(profile, "profile");
    Objects.requireNonNull(layout, "layout");
    Objects.requireNonNull(limits, "limits");
    Objects.requireNonNull(credentials, "credentials");
    areas = List.copyOf(areas);
  }
}
