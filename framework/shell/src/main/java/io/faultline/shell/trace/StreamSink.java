// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.trace;

import java.io.PrintStream;

/**
 * Lines on a plain stream: no prompt to keep whole, no colours.
 *
 * @param stream the console
 */
record StreamSink(PrintStream stream) implements Sink {
  @Override
  public boolean colours() {
    return false;
  }

  @Override
  public void line(String text) {
    stream.println(text);
    stream.flush();
  }
}
