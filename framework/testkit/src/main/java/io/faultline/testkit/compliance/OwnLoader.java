// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.security.CodeSource;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Loads again what lies where a driver and its test lie, as a second bundle with the same classes
 * would; everything else, the API above all, is the parent's.
 */
final class OwnLoader extends URLClassLoader {
  private OwnLoader(URL[] urls, @Nullable ClassLoader parent) {
    super("driver under test", urls, parent);
  }

  /** For the code of these classes. */
  static OwnLoader of(Class<?>... classes) {
    Set<String> places = new LinkedHashSet<>();
    for (Class<?> type : classes) {
      place(type).ifPresent(places::add);
    }
    // There is one kit, and one kernel.
    place(DriverCompliance.class).ifPresent(places::remove);
    URL[] urls = places.stream().map(OwnLoader::url).toArray(URL[]::new);
    return new OwnLoader(urls, DriverCompliance.class.getClassLoader());
  }

  private static Optional<String> place(Class<?> type) {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    return Optional.ofNullable(source == null ? null : source.getLocation())
        .map(URL::toExternalForm);
  }

  private static URL url(String text) {
    try {
      return new URI(text).toURL();
    } catch (URISyntaxException | IOException e) {
      throw new IllegalStateException(text, e);
    }
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      if (loaded == null && findResource(name.replace('.', '/') + ".class") != null) {
        loaded = findClass(name);
      }
      return loaded == null ? super.loadClass(name, resolve) : loaded;
    }
  }
}
