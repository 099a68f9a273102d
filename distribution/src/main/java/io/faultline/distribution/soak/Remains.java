// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/** What is left of bundles that were uninstalled: their class loaders, and what the framework knew. */
final class Remains {
  private static final long PATIENCE_NANOS = 20_000_000_000L;
  /**
   * felix.log keeps its last 100 entries, each with its bundle, and in a bundle's life there are at
   * least six.
   */
  private static final int NAMED_BY_THE_LOG = 50;

  /** One of them; not the bundle itself, or it would be left. */
  private record Old(
      int number, WeakReference<Bundle> bundle, WeakReference<ClassLoader> loader) {
    boolean isGone() {
      return bundle.refersTo(null) && loader.refersTo(null);
    }
  }

  private final List<Old> left = new ArrayList<>();
  private int uninstalled;

  /** Of a bundle that is about to be uninstalled. */
  void add(Bundle bundle) {
    ClassLoader loader =
        bundle.adapt(BundleWiring.class) instanceof BundleWiring wiring
            ? wiring.getClassLoader()
            : null;
    left.add(
        new Old(++uninstalled, new WeakReference<>(bundle), new WeakReference<>(loader)));
  }

  int uninstalled() {
    return uninstalled;
  }

  /** Of what is gone nothing is kept, or the soak itself would grow. */
  void forget() {
    left.removeIf(Old::isGone);
  }

  /** How many class loaders are there, once threads that ran their code have ended. */
  long loaders() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (true) {
      System.gc();
      long there = left.stream().filter(old -> !old.loader.refersTo(null)).count();
      if (there == 0 || System.nanoTime() > end) {
        return there;
      }
      // Nobody tells when the collector is done, nor when an interrupted thread has ended.
      Thread.sleep(100);
    }
  }

  /** How many bundles somebody still knows. */
  long bundles() {
    return left.stream().filter(old -> !old.bundle.refersTo(null)).count();
  }

  /** How many of these were uninstalled so long ago that it cannot be the log. */
  long bundlesForGood() {
    return left.stream()
        .filter(
            old -> !old.bundle.refersTo(null) && old.number <= uninstalled - NAMED_BY_THE_LOG)
        .count();
  }
}
