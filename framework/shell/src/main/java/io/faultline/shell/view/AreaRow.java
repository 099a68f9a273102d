// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import io.faultline.mm.Protection;
import io.faultline.mm.VmFlag;
import io.faultline.mm.Vma;
import io.faultline.shell.word.Address;
import io.faultline.shell.word.Range;
import io.faultline.shell.word.Size;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * An area of a process. As a word it is its range, {@code 0x…-0x…}.
 *
 * @param pid the process
 * @param start first byte
 * @param end first byte behind it
 * @param protection {@code rw-}, then {@code s} or {@code p}, as in {@code /proc/PID/maps}
 * @param pageOffset where it begins in its file, in pages
 * @param name the file, or what the kernel calls it, or nothing
 * @param driver the driver whose device is mapped, or nothing
 * @param flags all its flags
 * @param privateData the class of what the driver stored in it, or nothing
 */
public record AreaRow(
    int pid,
    Address start,
    Address end,
    String protection,
    long pageOffset,
    String name,
    String driver,
    Set<VmFlag> flags,
    String privateData)
    implements View {
  /** Said by the protection column, or true of nearly every area. */
  private static final Set<VmFlag> NOT_IN_TABLE =
      Set.copyOf(
          EnumSet.of(
              VmFlag.READ, VmFlag.WRITE, VmFlag.EXEC, VmFlag.SHARED, VmFlag.MAYREAD,
              VmFlag.MAYWRITE, VmFlag.MAYEXEC, VmFlag.MAYSHARE));

  private static final Table.Layout<AreaRow> LAYOUT =
      Table.Layout.<AreaRow>withEmpty("no areas")
          .number("START", row -> row.start.digits())
          .number("END", row -> row.end.digits())
          .number("SIZE", row -> Size.format(row.length()))
          .text("PROT", AreaRow::protection)
          .number("PGOFF", row -> Long.toString(row.pageOffset))
          .text("DRIVER", row -> row.driver.isEmpty() ? "-" : row.driver)
          .text("NAME", row -> row.name.isEmpty() ? "-" : row.name)
          .text("FLAGS", row -> names(row.flags, NOT_IN_TABLE));

  /** A table of areas. */
  public static Table<AreaRow> table(List<AreaRow> rows) {
    return LAYOUT.of(rows);
  }

  /** The row of an area, whose name and driver the caller has found out. */
  public static AreaRow of(Vma vma, String name, String driver) {
    Object data = vma.privateData();
    return new AreaRow(
        vma.pid(),
        new Address(vma.start()),
        new Address(vma.end()),
        Protection.ofFlags(vma.flags()) + (vma.has(VmFlag.MAYSHARE) ? "s" : "p"),
        vma.file() == null ? 0 : vma.pageOffset(),
        name,
        driver,
        Set.copyOf(vma.flags().toSet()),
        data == null ? "" : data.getClass().getName());
  }

  /** Bytes. */
  public long length() {
    return end.value() - start.value();
  }

  private static String names(Set<VmFlag> flags, Set<VmFlag> without) {
    return flags.stream()
        .filter(flag -> !without.contains(flag))
        .sorted()
        .map(VmFlag::name)
        .collect(Collectors.joining(" "));
  }

  @Override
  public String text() {
    return """
        area     %s (%s)
        process  %d
        prot     %s
        name     %s
        driver   %s
        pgoff    %d
        flags    %s
        private  %s"""
        .formatted(
            this,
            Size.format(length()),
            pid,
            protection,
            name.isEmpty() ? "-" : name,
            driver.isEmpty() ? "-" : driver,
            pageOffset,
            names(flags, Set.of()),
            privateData.isEmpty() ? "-" : privateData);
  }

  @Override
  public String toString() {
    return new Range(start.value(), length()).toString();
  }
}
