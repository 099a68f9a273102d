// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.shell.Command;
import io.faultline.shell.Manual;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import org.apache.felix.gogo.runtime.CommandProxy;
import org.apache.felix.service.command.CommandSession;
import org.jspecify.annotations.Nullable;

/** Commands of our scope that other bundles bring along, with manuals in the form of ours. */
public final class Others {
  /** Their manuals, by name. */
  public static List<Manual> manuals(CommandSession session) {
    List<Manual> manuals = new ArrayList<>();
    if (session.get(".commands") instanceof Collection<?> commands) {
      for (Object command : new TreeSet<>(commands)) {
        Manual manual = manual(session, command.toString());
        if (manual != null) {
          manuals.add(manual);
        }
      }
    }
    return manuals;
  }

  private static @Nullable Manual manual(CommandSession session, String name) {
    String scope = Command.SCOPE + ":";
    if (!name.startsWith(scope)
        || name.startsWith(scope + "_")
        || Catalogue.find(name) != null
        || !(session.get(name) instanceof CommandProxy proxy)) {
      return null;
    }
    try {
      Object target = proxy.getTarget();
      return target == null || target instanceof Command ? null
          : Manual.of(target.getClass(), name.substring(scope.length()));
    } catch (IllegalArgumentException notInOurForm) {
      return null;
    } finally {
      proxy.ungetTarget();
    }
  }

  private Others() {}
}
