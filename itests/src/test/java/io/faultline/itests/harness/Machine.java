// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.harness;

import io.faultline.kernel.Tasks;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Another machine than the one that the container has booted. The services of the first one are gone
 * while it runs: ask it for {@link #service}.
 */
public final class Machine implements AutoCloseable {
  private final BundleContext context;
  private final Configuration configuration;

  private Machine(BundleContext context, Configuration configuration) {
    this.context = context;
    this.configuration = configuration;
  }

  /** Boots the machine that properties of the kernel's configuration describe. */
  public static Machine boot(
      BundleContext context, ConfigurationAdmin configurations, Map<String, ?> properties)
      throws Exception {
    Machine machine =
        new Machine(context, configurations.getConfiguration("io.faultline.kernel", "?"));
    Tasks before = machine.service(Tasks.class);
    Dictionary<String, Object> dictionary = new Hashtable<>(properties);
    machine.configuration.update(dictionary);
    machine.awaitOther(before);
    return machine;
  }

  /** A service of the kernel that runs now. */
  public <S> S service(Class<S> type) {
    Eventually.holds("a service " + type.getName(), () -> current(type) != null);
    return Objects.requireNonNull(current(type), type.getName());
  }

  private <S> @Nullable S current(Class<S> type) {
    ServiceReference<S> reference = context.getServiceReference(type);
    return reference == null ? null : context.getService(reference);
  }

  /** The kernel publishes its processes last, and takes them back first. */
  private void awaitOther(Tasks before) {
    Eventually.holds("another kernel", () -> {
      Tasks now = current(Tasks.class);
      return now != null && now != before;
    });
  }

  /** Boots the first machine again. */
  @Override
  public void close() throws Exception {
    Tasks before = service(Tasks.class);
    configuration.delete();
    awaitOther(before);
  }
}
