// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import java.util.List;
import java.util.Map;
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
 * @param arguments its command line, the program first; shown in core dumps
 * @param auxiliary entries of its auxiliary vector ({@code AT_…} of {@code elf.h}, such as 9 for
 *     {@code AT_ENTRY}) that only the image knows; the kernel adds those it knows itself
 */
public record ProcessImage(
    String name,
    KernelProfile profile,
    MmLayout layout,
    Limits limits,
    Credentials credentials,
    List<InitialArea> areas,
    @Nullable KernelObjects objects,
    List<String> arguments,
    Map<Integer, Long> auxiliary) {
  /** Copies the collections. */
  public ProcessImage {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(profile, "profile");
    Objects.requireNonNull(layout, "layout");
    Objects.requireNonNull(limits, "limits");
    Objects.requireNonNull(credentials, "credentials");
    areas = List.copyOf(areas);
    arguments = List.copyOf(arguments);
    auxiliary = Map.copyOf(auxiliary);
  }

  /** A process whose command line is its name, and of whose auxiliary vector no more is known. */
  public ProcessImage(
      String name,
      KernelProfile profile,
      MmLayout layout,
      Limits limits,
      Credentials credentials,
      List<InitialArea> areas,
      @Nullable KernelObjects objects) {
    this(name, profile, layout, limits, credentials, areas, objects, List.of(name), Map.of());
  }
}
