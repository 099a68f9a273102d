// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.harness;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** What a test that failed has not removed itself, so that it fails alone. */
final class Leftovers {
  private final BundleContext context;
  private final Set<Bundle> bundles;
  private final Set<String> configured = new HashSet<>();

  /** As it is before the test. */
  Leftovers(BundleContext context) throws Exception {
    this.context = context;
    this.bundles = new HashSet<>(List.of(context.getBundles()));
    configurations().forEach(configuration -> configured.add(configuration.getPid()));
  }

  /** Processes, configurations, and bundles; what is in the drop-in folder goes through File Install. */
  void remove() throws Exception {
    for (Tasks tasks : services(Tasks.class)) {
      for (Task task : tasks.list()) {
        tasks.exit(task, 0);
      }
    }
    for (Configuration configuration : configurations()) {
      if (!configured.contains(configuration.getPid())) {
        configuration.delete();
      }
    }
    Path folder = Path.of(context.getProperty("faultline.drivers"));
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
    }
    String dropped = folder.toFile().toURI().toString();
    for (Bundle bundle : left()) {
      if (!bundle.getLocation().startsWith(dropped)) {
        bundle.uninstall();
      }
    }
    Eventually.holds("what was dropped in is uninstalled", () -> left().isEmpty());
  }

  private List<Configuration> configurations() throws Exception {
    List<Configuration> found = new ArrayList<>();
    for (ConfigurationAdmin configurations : services(ConfigurationAdmin.class)) {
      Configuration[] all = configurations.listConfigurations(null);
      found.addAll(all == null ? List.of() : List.of(all));
    }
    return found;
  }

  private List<Bundle> left() {
    return Arrays.stream(context.getBundles()).filter(bundle -> !bundles.contains(bundle)).toList();
  }

  private <S> List<S> services(Class<S> type) throws Exception {
    return context.getServiceReferences(type, null).stream()
        .map((ServiceReference<S> reference) -> context.getService(reference))
        .filter(Objects::nonNull)
        .toList();
  }
}
