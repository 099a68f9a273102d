// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.framework.Bundle;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;

/** Remembers why a bundle did not start; the framework says it once and to listeners only. */
final class Failures implements FrameworkListener {
  private final Map<Bundle, Throwable> causes = new ConcurrentHashMap<>();

  @Override
  public void frameworkEvent(FrameworkEvent event) {
    Throwable cause = event.getThrowable();
    if (event.getType() == FrameworkEvent.ERROR && cause != null) {
      causes.putIfAbsent(event.getBundle(), cause);
    }
  }

  /** Why the bundle did not start, for a person to read. */
  String of(Bundle bundle) {
    Throwable cause = causes.get(bundle);
    return cause != null ? cause.toString() : "not active, and the framework does not say why";
  }
}
