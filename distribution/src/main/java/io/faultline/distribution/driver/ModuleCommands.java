// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.osgi.framework.Bundle;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code insmod} and {@code rmmod}. */
@Component(service = ModuleCommands.class)
@GogoCommand(
    scope = "faultline",
    function = {"insmod", "rmmod", "__insmod", "__rmmod"})
public final class ModuleCommands {
  private final DropIn dropIn;

  /**
   * @param dropIn the folder of drivers
   */
  @Activate
  public ModuleCommands(@Reference DropIn dropIn) {
    this.dropIn = dropIn;
  }

  /** Installs a driver, or lists those that can be. */
  @Descriptor("""
      install a driver into the running kernel, or a new version over the old one
      usage: insmod [NAME|JAR|FILE.java...]
      Copies the jar into the folder drivers/, which is watched. NAME is one that came along, or that
      faultline driver made; without an argument they are listed. Sources are compiled first.
      example: insmod scullp
      example: insmod Hello.java
      example: insmod ~/mydriver/target/mydriver-1.0.jar""")
  public String insmod(CommandSession session, String... words)
      throws DropInException, InterruptedException {
    if (words.length == 0) {
      return "available: %s%ninstalled: %s"
          .formatted(DriverFolder.list(dropIn.available()), DriverFolder.list(dropIn.installed()));
    }
    Installed installed = dropIn.install(jar(session.currentDir(), words));
    // Gogo hears of a command's service a moment after it is there: the next line may be the command.
    boolean unused = Await.until(
        () -> session.get(".commands") instanceof Set<?> known
            && known.containsAll(installed.commands()),
        Await.HOPE_MILLIS);
    return installed.line();
  }

  /** The jar that words stand for: a name, a path, or sources, which are compiled. */
  Path jar(Path folder, String... words) throws DropInException {
    if (Arrays.stream(words).allMatch(w -> w.endsWith(".java"))) {
      return dropIn
          .compile(Arrays.stream(words).map(w -> ModuleWords.resolve(folder, w)).toList());
    }
    if (words.length > 1) {
      throw new DropInException("insmod: one driver at a time; example: insmod scullp");
    }
    return dropIn.available().contains(words[0])
        ? dropIn.availableJar(words[0])
        : ModuleWords.resolve(folder, words[0]);
  }

  /** Removes a driver. */
  @Descriptor("""
      remove a driver from the running kernel, even while its device is mapped
      usage: rmmod NAME
      Deletes the jar from the folder drivers/. Areas that are left answer an access with SIGBUS, or
      as the driver's unplug policy says: driver info shows it.
      example: rmmod scullp""")
  public String rmmod(String... words) throws DropInException, InterruptedException {
    if (words.length != 1) {
      throw new DropInException(
          "rmmod: give one NAME; installed: " + DriverFolder.list(dropIn.installed()));
    }
    Bundle gone = dropIn.remove(words[0]);
    return gone.getSymbolicName() + " is gone";
  }

  /** What Tab offers behind {@code insmod}; the shell calls it. */
  public List<Object> __insmod(CommandSession session) {
    return ModuleWords.of(dropIn.available(), session);
  }

  /** What Tab offers behind {@code rmmod}; the shell calls it. */
  public List<String> __rmmod() {
    return dropIn.installed();
  }
}
