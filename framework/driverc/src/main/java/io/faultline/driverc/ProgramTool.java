// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.List;
import java.util.spi.ToolProvider;

/** A tool that is a program too: help, complaints in one line, and what it ends with. */
abstract class ProgramTool implements ToolProvider {
  private static final int FAILED = 1;
  private static final int USAGE = 2;

  /** What a command line asks for. */
  @FunctionalInterface
  interface Work {
    /**
     * Does it.
     *
     * @return false when it could not be done, which {@code err} has been told
     */
    boolean run(PrintWriter out, PrintWriter err) throws ComplaintException, IOException;
  }

  private final String word;
  private final String help;

  /**
   * @param word what complaints begin with
   * @param help for {@code --help}
   */
  ProgramTool(String word, String help) {
    this.word = word;
    this.help = help;
  }

  /**
   * Reads the command line.
   *
   * @throws ComplaintException when it makes no sense
   */
  abstract Work parse(List<String> words) throws ComplaintException;

  /** Runs a tool as a program; does not come back. */
  static void runAsProgram(ToolProvider tool, String... words) {
    Charset terminal = Charset.forName(System.getProperty("stdout.encoding", "UTF-8"));
    PrintWriter out = new PrintWriter(System.out, true, terminal);
    PrintWriter err = new PrintWriter(System.err, true, terminal);
    Runtime.getRuntime().exit(tool.run(out, err, words));
  }

  @Override
  public int run(PrintWriter out, PrintWriter err, String... words) {
    List<String> list = List.of(words);
    if (list.contains("-h") || list.contains("--help")) {
      out.print(help);
      out.flush();
      return 0;
    }
    Work work;
    try {
      work = parse(list);
    } catch (ComplaintException e) {
      err.println(word + ": " + e.line());
      return USAGE;
    }
    try {
      return work.run(out, err) ? 0 : FAILED;
    } catch (ComplaintException e) {
      err.println(word + ": " + e.line());
    } catch (IOException e) {
      err.println(word + ": " + e);
    }
    return FAILED;
  }
}
