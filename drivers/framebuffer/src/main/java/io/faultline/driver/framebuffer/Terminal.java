// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Process;

/**
 * Where a command's output goes.
 *
 * @param colours whether it is a terminal that has colours: not a pipe, a file or a dumb one
 * @param columns its width, in characters
 */
record Terminal(boolean colours, int columns) {
  private static final int COLUMNS = 80;

  static Terminal of(CommandSession session) {
    Process process = Process.Utils.current();
    Object type = session.get("TERM");
    boolean colours =
        process != null && process.isTty(1) && type != null && !type.toString().startsWith("dumb");
    Object width = session.get("COLUMNS");
    int columns = width instanceof Number number ? number.intValue() : 0;
    return new Terminal(colours, columns > 0 ? columns : COLUMNS);
  }
}
