// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import io.faultline.device.FileSystem;
import io.faultline.device.MmapProvider;
import io.faultline.device.SwapDevice;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Drivers;
import io.faultline.kernel.Swaps;
import io.faultline.kernel.Upgrade;
import io.faultline.kernel.UpgradeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandProcessor;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/**
 * The drop-in folder, which File Install watches, and the folder of drivers that came along. Puts a
 * driver in or takes it out and waits until the running kernel has followed.
 */
@Component(service = DropIn.class)
public final class DropIn {
  private static final String JAR = ".jar";
  /** For what comes of itself, if only the machine is slow enough: whoever waits in vain is told why. */
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  /** For what need not come at all. */
  private static final long HOPE_NANOS = 10_000_000_000L;
  private static final long BETWEEN_LOOKS_NANOS = 5_000_000;

  private final BundleContext context;
  private final Devices devices;
  private final @Nullable Swaps swaps;
  private final Path folder;
  private final Path available;
  private final Path compiled;
  private final DriverCompiler compiler;

  /**
   * @param context tells the folders by its properties {@code faultline.drivers}, {@code
   *     faultline.available}, {@code faultline.var} and {@code faultline.home}
   * @param devices the kernel's device table
   * @param swaps the kernel's swap devices, if it has any
   */
  @Activate
  public DropIn(
      BundleContext context,
      @Reference Devices devices,
      @Reference(
          cardinality = ReferenceCardinality.OPTIONAL,
          policyOption = ReferencePolicyOption.GREEDY) @Nullable Swaps swaps) {
    this.context = context;
    this.devices = devices;
    this.swaps = swaps;
    this.folder = folder(context, "faultline.drivers");
    this.available = folder(context, "faultline.available");
    this.compiled = folder(context, "faultline.var").resolve("available");
    this.compiler = new DriverCompiler(folder(context, "faultline.home"));
  }

  private static Path folder(BundleContext context, String property) {
    return Path.of(
        Objects.requireNonNull(
            context.getProperty(property), property + " is not set; the launcher sets it"));
  }

  /** Names of the drivers that came along, and of those that were compiled here, sorted. */
  public List<String> available() {
    return Stream.of(available, compiled).flatMap(f -> names(f).stream()).sorted().distinct()
        .toList();
  }

  /** Names of the drivers in the drop-in folder, sorted. */
  public List<String> installed() {
    return names(folder);
  }

  /** The jar of a driver that was compiled here, or else came along. */
  public Path availableJar(String name) {
    Path own = compiled.resolve(name + JAR);
    return Files.isRegularFile(own) ? own : available.resolve(name + JAR);
  }

  /**
   * Compiles a driver. Its jar is among the available ones from then on.
   *
   * @param sources all of its source files
   * @return the jar
   * @throws DropInException with the compiler's own words when that fails
   */
  public Path compile(List<Path> sources) throws DropInException {
    try {
      Path made = Files.createTempDirectory("faultline-insmod");
      try {
        Path jar = compiler.compile(sources, made);
        return Files.move(
            jar,
            Files.createDirectories(compiled).resolve(jar.getFileName()),
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.delete(made);
      }
    } catch (IOException e) {
      throw new DropInException("cannot write to " + compiled + ": " + e);
    }
  }

  /** Names for a person to read. */
  static String list(List<String> names) {
    return names.isEmpty() ? "none" : String.join(" ", names);
  }

  private static List<String> names(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(n -> n.endsWith(JAR) && !n.startsWith("."))
          .map(n -> n.substring(0, n.length() - JAR.length()))
          .sorted()
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /**
   * Drops a jar in, or over the one of the same name, and waits until its bundle runs.
   *
   * @return the devices that it brought, those for swap space in use already
   * @throws DropInException when it does not come up; the message says why
   */
  public Installed install(Path jar) throws DropInException, InterruptedException {
    String name = jar.getFileName().toString();
    if (!Files.isRegularFile(jar) || !name.endsWith(JAR)) {
      throw new DropInException(
          "insmod: %s is neither a jar nor a driver that came along; those are: %s"
              .formatted(jar, list(available())));
    }
    Path target = folder.resolve(name);
    requireNoOther(BundleFile.read(jar).symbolicName(), jar, target);
    Complaints complaints = Complaints.listen();
    try {
      Bundle bundle = installed(jar, target, complaints);
      return brought(bundle, name.substring(0, name.length() - JAR.length()), complaints);
    } finally {
      complaints.close();
    }
  }

  /** Two versions would both run, and only the first one have the devices. */
  private void requireNoOther(String symbolicName, Path jar, Path target) throws DropInException {
    Bundle own = bundle(target);
    for (Bundle other : context.getBundles()) {
      if (symbolicName.equals(other.getSymbolicName()) && !other.equals(own)) {
        throw new DropInException(
            ("insmod: %s %s is installed already, from %s; driver upgrade %s puts this one in its "
                + "place, rmmod takes it out")
                .formatted(symbolicName, other.getVersion(), name(other), jar));
      }
    }
  }

  private String name(Bundle bundle) {
    Path jar = file(bundle);
    return jar == null ? bundle.getLocation() : String.valueOf(jar.getFileName());
  }

  private Bundle installed(Path jar, Path target, Complaints complaints)
      throws DropInException, InterruptedException {
    Bundle before = bundle(target);
    long modified = before == null ? -1 : before.getLastModified();
    copy(jar, target);
    Bundle bundle =
        await(
            () -> {
              Bundle now = bundle(target);
              return now != null && now.getLastModified() != modified && settled(now, complaints)
                  ? now
                  : null;
            });
    if (bundle == null) {
      throw new DropInException(
          target + " lies there but was not installed; is it a bundle? The log says more");
    }
    requireActive(bundle);
    return bundle;
  }

  private void copy(Path jar, Path target) throws DropInException {
    try {
      // Under a name that is not watched, then moved: nobody ever sees half a jar.
      Path part = target.resolveSibling("." + target.getFileName() + ".part");
      Files.copy(jar, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(
          part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new DropInException("cannot copy " + jar + " to " + folder + ": " + e);
    }
  }

  private Installed brought(Bundle bundle, String name, Complaints complaints)
      throws DropInException, InterruptedException {
    int declared = DeclaredDevices.count(bundle);
    int commands = DeclaredDevices.commands(bundle);
    await(
        () -> devicesOf(bundle).size() + swapsOf(bundle).size() + mountsOf(bundle).size()
            >= declared && commandServices(bundle).size() >= commands
            || complaints.about(bundle) != null
                ? bundle
                : null,
        DeclaredDevices.hasComponents(bundle) ? PATIENCE_NANOS : HOPE_NANOS);
    Installed brought = new Installed(
        bundle.getSymbolicName(), bundle.getVersion(), devicesOf(bundle), swapsOf(bundle),
        mountsOf(bundle), commandsOf(bundle));
    if (brought.isNothing()) {
      String complaint = complaints.about(bundle);
      throw new DropInException(
          "%s runs but brought no device: %s (rmmod %s takes it out again)"
              .formatted(
                  bundle.getSymbolicName(),
                  complaint == null
                      ? "does it register an MmapProvider with @Device, a FileSystem or a SwapDevice?"
                      : complaint,
                  name));
    }
    for (String swap : brought.swaps()) {
      requireInUse(swap, name, complaints);
    }
    return brought;
  }

  /** The kernel switches a swap device on as it comes. */
  private void requireInUse(String swap, String name, Complaints complaints)
      throws DropInException, InterruptedException {
    await(() -> inUse(swap) || complaints.naming(swap) != null ? swap : null);
    if (!inUse(swap)) {
      String complaint = complaints.naming(swap);
      throw new DropInException(
          "%s is there but not in use: %s (rmmod %s takes it out again)"
              .formatted(
                  swap, complaint == null ? "dmesg says more" : complaint, name));
    }
  }

  private boolean inUse(String swap) {
    return swaps == null || swaps.list().stream().anyMatch(s -> s.name().equals(swap));
  }

  /**
   * File Install starts a bundle some time after it has installed it, or says why it cannot. Before that
   * nobody else may start it: File Install would stop it and start it again.
   */
  private static boolean settled(Bundle bundle, Complaints complaints) {
    return bundle.getState() == Bundle.ACTIVE || complaints.naming(bundle.getLocation()) != null
        || System.currentTimeMillis() - bundle.getLastModified()
            > TimeUnit.NANOSECONDS.toMillis(HOPE_NANOS);
  }

  private static void requireActive(Bundle bundle) throws DropInException {
    if (bundle.getState() != Bundle.ACTIVE) {
      try {
        bundle.start();
      } catch (BundleException e) {
        throw new DropInException(bundle.getSymbolicName() + " does not start: " + e.getMessage());
      }
    }
  }

  private List<DeviceInfo> devicesOf(Bundle bundle) {
    return devices.list().stream()
        .filter(d -> d.present() && d.driver().equals(bundle.getSymbolicName()))
        .toList();
  }

  /** Where its file systems are mounted. */
  private List<String> mountsOf(Bundle bundle) {
    try {
      return context
          .getServiceReferences(FileSystem.class, "(service.bundleid=" + bundle.getBundleId() + ")")
          .stream()
          .filter(reference -> reference.getUsingBundles() != null)
          .map(reference -> String.valueOf(reference.getProperty(FileSystem.MOUNT_POINT)))
          .toList();
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<ServiceReference<?>> commandServices(Bundle bundle) {
    try {
      ServiceReference<?>[] found =
          context.getServiceReferences(
              (String) null, "(&(service.bundleid=" + bundle.getBundleId() + ")("
                  + CommandProcessor.COMMAND_FUNCTION + "=*))");
      return found == null ? List.of() : List.of(found);
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<String> commandsOf(Bundle bundle) {
    return commandServices(bundle).stream()
        .flatMap(reference -> Stream
            .of(reference.getProperty(CommandProcessor.COMMAND_FUNCTION))
            .flatMap(names -> names instanceof Object[] several
                ? Arrays.stream(several)
                : Stream.of(names))
            .map(name -> reference.getProperty(CommandProcessor.COMMAND_SCOPE) + ":" + name))
        .toList();
  }

  private List<String> swapsOf(Bundle bundle) {
    try {
      return context
          .getServiceReferences(SwapDevice.class, "(service.bundleid=" + bundle.getBundleId() + ")")
          .stream()
          .flatMap(this::name)
          .toList();
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Nothing when the device's constructor throws. */
  private Stream<String> name(ServiceReference<SwapDevice> reference) {
    SwapDevice device = context.getService(reference);
    if (device == null) {
      return Stream.empty();
    }
    try {
      return Stream.of(device.name());
    } finally {
      context.ungetService(reference);
    }
  }

  /**
   * What an upgrade did.
   *
   * @param driver its bundle's symbolic name
   * @param from the version that is gone
   * @param to the version that serves
   */
  record Upgraded(String driver, Version from, Version to, Upgrade upgrade) {}

  /**
   * Puts a new version in the place of the one that serves. Its jar lies beside the old one's in the
   * drop-in folder until the devices are handed over; then the old one's is deleted.
   *
   * @throws DropInException when a step fails: the old version has never stopped, and the new one's jar
   *     is gone from the folder
   */
  Upgraded upgrade(Path jar, Drivers drivers) throws DropInException, InterruptedException {
    if (!Files.isRegularFile(jar) || !jar.getFileName().toString().endsWith(JAR)) {
      throw new DropInException(
          "driver upgrade: %s is neither a jar nor a driver that came along; those are: %s"
              .formatted(jar, list(available())));
    }
    BundleFile file = BundleFile.read(jar);
    Bundle old = serving(file.symbolicName());
    if (old == null) {
      throw new DropInException(
          "driver upgrade: no version of %s is installed; driver install %s does that"
              .formatted(file.symbolicName(), jar));
    }
    if (old.getVersion().equals(file.version())) {
      throw new DropInException(
          "driver upgrade: %s %s serves already; give its bundle another version"
              .formatted(file.symbolicName(), file.version()));
    }
    Path target = freeName(jar, file);
    Complaints complaints = Complaints.listen();
    try {
      Bundle next = beside(jar, target, old, complaints);
      Upgrade upgrade = drivers.upgrade(old.getBundleId(), next.getBundleId());
      uninstall(old);
      return new Upgraded(file.symbolicName(), old.getVersion(), file.version(), upgrade);
    } catch (UpgradeException e) {
      Bundle next = bundle(target);
      try {
        Files.deleteIfExists(target);
      } catch (IOException stays) {
        throw new DropInException("cannot remove " + target + ": " + stays);
      }
      if (next != null) {
        await(() -> next.getState() == Bundle.UNINSTALLED ? next : null);
      }
      throw new DropInException(
          "driver upgrade: %s; %s %s has not stopped"
              .formatted(e.getMessage(), old.getSymbolicName(), old.getVersion()));
    } finally {
      complaints.close();
    }
  }

  private Path freeName(Path jar, BundleFile file) throws DropInException {
    String name = jar.getFileName().toString();
    String stem = name.substring(0, name.length() - JAR.length());
    for (String candidate : List.of(stem, stem + "-" + file.version())) {
      Path target = folder.resolve(candidate + JAR);
      if (!Files.exists(target) && bundle(target) == null) {
        return target;
      }
    }
    throw new DropInException("driver upgrade: " + name + " is in " + folder + " already");
  }

  /** Installed, resolved and started, its services waiting for their devices. */
  private Bundle beside(Path jar, Path target, Bundle old, Complaints complaints)
      throws DropInException, InterruptedException, UpgradeException {
    copy(jar, target);
    Bundle next =
        await(
            () -> {
              Bundle now = bundle(target);
              return now != null && settled(now, complaints) ? now : null;
            });
    if (next == null) {
      throw new UpgradeException(
          UpgradeException.Step.INSTALL, target + " was not installed; is it a bundle?");
    }
    if (next.getState() != Bundle.ACTIVE) {
      try {
        next.start();
      } catch (BundleException e) {
        throw new UpgradeException(
            e.getType() == BundleException.RESOLVE_ERROR
                ? UpgradeException.Step.RESOLVE
                : UpgradeException.Step.START,
            String.valueOf(e.getMessage()));
      }
    }
    // A version may have fewer; services that are registered by hand are there when it is started.
    int wanted = Math.min(DeclaredDevices.services(next), providers(old));
    await(
        () -> providers(next) >= wanted || complaints.aboutVersion(next) != null ? next : null);
    if (providers(next) < wanted) {
      throw new UpgradeException(
          UpgradeException.Step.START,
          "%s %s offers %d devices' services, the old version %d; dmesg may say why".formatted(
              next.getSymbolicName(), next.getVersion(), providers(next), wanted));
    }
    return next;
  }

  /** How many services for devices a bundle has; each is made by asking for it. */
  private int providers(Bundle bundle) {
    try {
      int count = 0;
      for (ServiceReference<MmapProvider> reference : context.getServiceReferences(
          MmapProvider.class, "(service.bundleid=" + bundle.getBundleId() + ")")) {
        count += context.getService(reference) == null ? 0 : 1;
        context.ungetService(reference);
      }
      return count;
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private void uninstall(Bundle bundle) throws DropInException, InterruptedException {
    Path jar = file(bundle);
    try {
      if (jar == null) {
        bundle.uninstall();
      } else {
        Files.deleteIfExists(jar);
      }
    } catch (IOException | BundleException e) {
      throw new DropInException("cannot remove " + bundle + ": " + e);
    }
    if (await(() -> bundle.getState() == Bundle.UNINSTALLED ? bundle : null) == null) {
      throw new DropInException(bundle.getSymbolicName() + " did not stop; the log says more");
    }
  }

  /** The version of a driver that serves devices, or null. */
  private @Nullable Bundle serving(String symbolicName) {
    return devices.list().stream()
        .filter(d -> d.state() != DeviceInfo.State.GONE && d.driver().equals(symbolicName))
        .map(d -> bundle(d.driver(), d.driverVersion()))
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  /** The bundle of a name and a version, or null. */
  @Nullable Bundle bundle(String symbolicName, String version) {
    for (Bundle bundle : context.getBundles()) {
      if (symbolicName.equals(bundle.getSymbolicName())
          && bundle.getVersion().toString().equals(version)) {
        return bundle;
      }
    }
    return null;
  }

  /** A bundle's jar in the drop-in folder, or null. */
  private @Nullable Path file(Bundle bundle) {
    for (String name : installed()) {
      Path jar = folder.resolve(name + JAR);
      if (jar.toFile().toURI().toString().equals(bundle.getLocation())) {
        return jar;
      }
    }
    return null;
  }

  /**
   * The jar of a driver by the jar's name, or by that of its bundle, whole or its last word: an
   * upgrade leaves a driver under another jar's name.
   */
  private Path installedJar(String name) {
    Path exact = folder.resolve(name + JAR);
    if (Files.exists(exact)) {
      return exact;
    }
    for (Bundle bundle : context.getBundles()) {
      String symbolicName = bundle.getSymbolicName();
      Path jar = symbolicName != null
          && (symbolicName.equals(name) || symbolicName.endsWith("." + name))
              ? file(bundle)
              : null;
      if (jar != null) {
        return jar;
      }
    }
    return exact;
  }

  /**
   * Takes a driver's jar away and waits until its bundle is gone.
   *
   * @return the bundle that went
   * @throws DropInException when there is none of that name, or it does not go
   */
  public Bundle remove(String name) throws DropInException, InterruptedException {
    Path target = installedJar(name);
    Bundle bundle = bundle(target);
    if (bundle == null) {
      throw new DropInException(
          "rmmod: there is no driver %s in %s; installed: %s"
              .formatted(name, folder, list(installed())));
    }
    try {
      Files.delete(target);
    } catch (IOException e) {
      throw new DropInException("cannot remove " + target + ": " + e);
    }
    if (await(() -> bundle.getState() == Bundle.UNINSTALLED ? bundle : null) == null) {
      throw new DropInException(bundle.getSymbolicName() + " did not stop; the log says more");
    }
    return bundle;
  }

  private @Nullable Bundle bundle(Path jar) {
    // File Install's way of writing it: one slash, not three.
    return context.getBundle(jar.toFile().toURI().toString());
  }

  /** Waits until it holds, or in vain. */
  void await(BooleanSupplier holds) throws InterruptedException {
    Boolean unused = await(() -> holds.getAsBoolean() ? Boolean.TRUE : null, HOPE_NANOS);
  }

  private static <T> @Nullable T await(Supplier<@Nullable T> look) throws InterruptedException {
    return await(look, PATIENCE_NANOS);
  }

  private static <T> @Nullable T await(Supplier<@Nullable T> look, long nanos)
      throws InterruptedException {
    long end = System.nanoTime() + nanos;
    T found = look.get();
    while (found == null && System.nanoTime() < end) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
      found = look.get();
    }
    return found;
  }
}
