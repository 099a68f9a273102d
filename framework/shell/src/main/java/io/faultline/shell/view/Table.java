// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * An immutable list of rows that prints as a table with aligned columns and a title line.
 *
 * @param <R> the row
 */
public final class Table<R> extends AbstractList<R> implements View {
  private static final String GAP = "  ";

  private final Layout<R> layout;
  private final List<R> rows;

  private Table(Layout<R> layout, List<R> rows) {
    this.layout = layout;
    this.rows = rows;
  }

  /**
   * The columns of a table, and what to say when it has no rows. Immutable.
   *
   * @param empty the line that stands for no rows
   * @param columns from left to right
   */
  public record Layout<R>(String empty, List<Column<R>> columns) {
    /** A layout without columns. */
    public static <R> Layout<R> withEmpty(String empty) {
      return new Layout<>(empty, List.of());
    }

    /** This layout and a column of text. */
    public Layout<R> text(String title, Function<R, String> cell) {
      return with(new Column<>(title, false, cell));
    }

    /** This layout and a column of numbers, aligned to the right. */
    public Layout<R> number(String title, Function<R, String> cell) {
      return with(new Column<>(title, true, cell));
    }

    private Layout<R> with(Column<R> column) {
      List<Column<R>> more = new ArrayList<>(columns);
      more.add(column);
      return new Layout<>(empty, List.copyOf(more));
    }

    /** A table of this layout. */
    public Table<R> of(List<R> rows) {
      return new Table<>(this, List.copyOf(rows));
    }
  }

  /**
   * A column.
   *
   * @param title in capitals
   * @param right aligned to the right
   * @param cell the text of a row's cell
   */
  public record Column<R>(String title, boolean right, Function<R, String> cell) {}

  @Override
  public R get(int index) {
    return rows.get(index);
  }

  @Override
  public int size() {
    return rows.size();
  }

  @Override
  public String text() {
    if (rows.isEmpty()) {
      return layout.empty();
    }
    int[] widths = new int[layout.columns().size()];
    List<String[]> lines = new ArrayList<>();
    lines.add(layout.columns().stream().map(Column::title).toArray(String[]::new));
    for (R row : rows) {
      lines.add(layout.columns().stream().map(c -> c.cell().apply(row)).toArray(String[]::new));
    }
    for (String[] line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line[i].length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (String[] line : lines) {
      StringBuilder one = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String blanks = " ".repeat(widths[i] - line[i].length());
        one.append(i == 0 ? "" : GAP);
        one.append(layout.columns().get(i).right() ? blanks + line[i] : line[i] + blanks);
      }
      text.append(one.toString().stripTrailing()).append('\n');
    }
    return text.toString().stripTrailing();
  }

  @Override
  public String line() {
    return toString();
  }
}
