// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.PageAllocator;
import io.faultline.device.RequireFaultline;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.Devices;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Dictionary;
import java.util.Hashtable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.wiring.BundleWire;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** The kernel core as a bundle. */
@InFelix
class KernelIT {
  private static final String CORE = "io.faultline.core";

  private static Bundle install(BundleContext context, String driver) throws BundleException {
    Path jar = Path.of(context.getProperty("faultline.available"), driver + ".jar");
    Bundle bundle = context.installBundle(jar.toUri().toString());
    bundle.start();
    return bundle;
  }

  private static Bundle core(BundleContext context) {
    return Arrays.stream(context.getBundles())
        .filter(b -> CORE.equals(b.getSymbolicName()))
        .findFirst()
        .orElseThrow();
  }

  /** A service of now; the parameters of a test are those of its beginning. */
  private static <S> @Nullable S current(BundleContext context, Class<S> type) {
    ServiceReference<S> reference = context.getServiceReference(type);
    return reference == null ? null : context.getService(reference);
  }

  @Test
  void startsAndPublishesItsServices(
      BundleContext context,
      Tasks tasks,
      Files files,
      VmaService calls,
      FaultDispatcher faults,
      Proc proc,
      Devices devices,
      PageAllocator pages) {
    assertThat(core(context).getState()).isEqualTo(Bundle.ACTIVE);
    assertThat(devices.list()).as("no driver yet").isEmpty();
    assertThat(pages.allocated()).isZero();
    Task task = tasks.spawn("first");
    assertThat(task.profile()).isEqualTo(KernelProfile.LINUX_6_18);
    assertThat(calls.list(task)).isNotEmpty();
    assertThat(proc.maps(task)).contains("[stack]");
    assertThat(task.files()).isEmpty();
    tasks.exit(task, 0);
    assertThat(task.end()).isEqualTo("exited 0");
  }

  @Test
  void whatADriverRequiresIsWiredToTheCore(BundleContext context) throws Exception {
    Bundle zero = install(context, "zero");

    assertThat(zero.adapt(BundleWiring.class).getRequiredWires("osgi.implementation"))
        .filteredOn(w -> w.getCapability().getAttributes()
            .get("osgi.implementation").equals(RequireFaultline.CAPABILITY))
        .extracting(BundleWire::getProvider)
        .extracting(r -> r.getBundle())
        .containsOnly(core(context))
        .isNotEmpty();

    zero.uninstall();
  }

  @Test
  void theCoreStopsUnderALoadedDriverAndStartsAgain(
      BundleContext context, Tasks tasks, Files files, VmaService memory) throws Exception {
    Bundle scullp = install(context, "scullp");
    Program program = Program.start(tasks, files, memory);
    int fd = program.open("/dev/scullp0");
    program.writePage(fd, "before");
    assertThat(program.text(program.map(fd, 1))).isEqualTo("before");

    core(context).stop();
    assertThat(program.task().end()).isEqualTo("killed by SIGKILL");
    assertThat(current(context, Tasks.class)).isNull();
    assertThat(scullp.getState()).isEqualTo(Bundle.ACTIVE);

    core(context).start();
    // The last of its services.
    Eventually.holds("the kernel is back", () -> current(context, Tasks.class) != null);
    Devices devices = current(context, Devices.class);
    Eventually.holds("the driver is back", () -> devices.find("/dev/scullp0").isPresent());
    assertThat(current(context, Tasks.class).list()).isEmpty();
    scullp.uninstall();
    assertThat(devices.list()).isEmpty();
  }

  @Test
  void aConfigurationBootsAnotherMachine(BundleContext context, ConfigurationAdmin configurations)
      throws Exception {
    Tasks before = current(context, Tasks.class);
    Task task = before.spawn("old");
    Configuration configuration = configurations.getConfiguration("io.faultline.kernel", "?");
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put("memory.bytes", 1L << 20);
    properties.put("vm.max_map_count", 100);
    properties.put("vm.overcommit_memory", "NEVER");

    configuration.update(properties);

    Eventually.holds("another kernel", () -> isAnother(current(context, Tasks.class), before));
    assertThat(task.end()).isEqualTo("killed by SIGKILL");
    Task now = current(context, Tasks.class).spawn("new");
    assertThat(now.profile().maxMapCount()).isEqualTo(100);
    assertThat(now.profile().overcommit()).isEqualTo(KernelProfile.Overcommit.NEVER);

    Tasks small = current(context, Tasks.class);
    configuration.delete();
    Eventually.holds("the first machine", () -> isAnother(current(context, Tasks.class), small));
    assertThat(current(context, Tasks.class).spawn("again").profile())
        .isEqualTo(KernelProfile.LINUX_6_18);
  }

  private static boolean isAnother(@Nullable Tasks now, Tasks before) {
    return now != null && now != before;
  }

  @Test
  void theClassLoaderOfAnUninstalledDriverIsCollectedWhileItsFileAndAreaAreLeft(
      BundleContext context, Tasks tasks, Files files, VmaService memory) throws Exception {
    try (Program program = Program.start(tasks, files, memory)) {
      WeakReference<ClassLoader> loader = useAndUninstall(context, program);

      Eventually.collected("the driver's class loader", loader);
    }
  }

  private static WeakReference<ClassLoader> useAndUninstall(
      BundleContext context, Program program) throws Exception {
    Bundle scullp = install(context, "scullp");
    WeakReference<ClassLoader> loader =
        new WeakReference<>(scullp.adapt(BundleWiring.class).getClassLoader());
    int fd = program.open("/dev/scullp0");
    program.writePage(fd, "before");
    assertThat(program.text(program.map(fd, 2))).isEqualTo("before");
    scullp.uninstall();
    return loader;
  }
}
