// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import io.faultline.kernel.Devices;
import io.faultline.kernel.Drivers;
import io.faultline.kernel.Swaps;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/**
 * The drop-in folder, which File Install watches, and the folder of drivers that came along. Puts a
 * driver in, in the place of another, or takes it out, and waits until the running kernel has followed.
 */
@Component(service = DropIn.class)
public final class DropIn {
  private final DriverFolder folder;
  private final AvailableDrivers available;
  private final DriverBundles bundles;
  private final Installation installation;
  private final Succession succession;
  private final Removal removal;

  /**
   * @param context tells the folders by its properties {@code faultline.drivers}, {@code
   *     faultline.available}, {@code faultline.var} and {@code faultline.home}
   * @param devices the kernel's device table
   * @param components knows what drivers' components wait for
   * @param swaps the kernel's swap devices, if it has any
   */
  @Activate
  public DropIn(
      BundleContext context,
      @Reference Devices devices,
      @Reference ServiceComponentRuntime components,
      @Reference(
          cardinality = ReferenceCardinality.OPTIONAL,
          policyOption = ReferencePolicyOption.GREEDY) @Nullable Swaps swaps) {
    this.folder = new DriverFolder(path(context, "faultline.drivers"));
    this.available = new AvailableDrivers(
        new DriverFolder(path(context, "faultline.available")),
        new DriverFolder(path(context, "faultline.var").resolve("available")),
        new DriverCompiler(path(context, "faultline.home")));
    this.bundles = new DriverBundles(context, folder);
    Offers offers = new Offers(context, devices, swaps);
    this.installation = new Installation(
        available, folder, bundles, offers, new WaitingComponents(components));
    this.removal = new Removal(folder, bundles);
    this.succession = new Succession(available, folder, bundles, offers, removal, devices);
  }

  private static Path path(BundleContext context, String property) {
    return Path.of(
        Objects.requireNonNull(
            context.getProperty(property), property + " is not set; the launcher sets it"));
  }

  /** Names of the drivers that came along, and of those that were compiled here, sorted. */
  public List<String> available() {
    return available.names();
  }

  /** Names of the drivers in the drop-in folder, sorted. */
  public List<String> installed() {
    return folder.names();
  }

  /** The jar of a driver that was compiled here, or else came along. */
  public Path availableJar(String name) {
    return available.jar(name);
  }

  /**
   * Compiles a driver. Its jar is among the available ones from then on.
   *
   * @param sources all of its source files
   * @return the jar
   * @throws DropInException with the compiler's own words when that fails
   */
  public Path compile(List<Path> sources) throws DropInException {
    return available.compile(sources);
  }

  /**
   * Drops a jar in, or over the one of the same name, and waits until its bundle runs.
   *
   * @return the devices that it brought, those for swap space in use already
   * @throws DropInException when it does not come up; the message says why
   */
  public Installed install(Path jar) throws DropInException, InterruptedException {
    return installation.run(jar);
  }

  /**
   * Puts a new version in the place of the one that serves. Its jar lies beside the old one's in the
   * drop-in folder until the devices are handed over; then the old one's is deleted.
   *
   * @throws DropInException when a step fails: the old version has never stopped, and the new one's jar
   *     is gone from the folder
   */
  Upgraded upgrade(Path jar, Drivers drivers) throws DropInException, InterruptedException {
    return succession.run(jar, drivers);
  }

  /**
   * Takes a driver's jar away and waits until its bundle is gone.
   *
   * @param name of the jar, or of the bundle: whole, or its last word
   * @return the bundle that went
   * @throws DropInException when there is none of that name, or it does not go
   */
  public Bundle remove(String name) throws DropInException, InterruptedException {
    return removal.run(name);
  }

  /** The bundle of a driver's name and version, or null. */
  @Nullable Bundle bundle(String symbolicName, String version) {
    return bundles.of(symbolicName, version);
  }
}
