// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell;

import org.apache.felix.service.command.CommandSession;
import org.jspecify.annotations.Nullable;

/**
 * The process that a session works with, chosen by {@code use PID}. It is kept in the session, where
 * the prompt shows it.
 */
public final class CurrentProcess {
  private static final String PID = ".faultline.pid";
  private static final String PLAIN_PROMPT = ".faultline.prompt";
  private static final String PROMPT = "prompt";

  /** The number that was chosen, whether or not the process still runs; null for none. */
  public static @Nullable Integer of(CommandSession session) {
    return session.get(PID) instanceof Integer pid ? pid : null;
  }

  /** Chooses a process. */
  public static void choose(CommandSession session, int pid) {
    session.put(PID, pid);
    String plain = plainPrompt(session);
    if (plain != null) {
      session.put(PLAIN_PROMPT, plain);
      int end = plain.endsWith("> ") ? plain.length() - 2 : plain.length();
      session.put(PROMPT, plain.substring(0, end) + ":" + pid + plain.substring(end));
    }
  }

  /** Forgets it. */
  public static void clear(CommandSession session) {
    session.put(PID, null);
    String plain = plainPrompt(session);
    if (plain != null) {
      session.put(PROMPT, plain);
    }
  }

  private static @Nullable String plainPrompt(CommandSession session) {
    Object plain = session.get(PLAIN_PROMPT);
    Object prompt = plain != null ? plain : session.get(PROMPT);
    return prompt instanceof CharSequence text ? text.toString() : null;
  }

  private CurrentProcess() {}
}
