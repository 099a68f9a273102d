// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.Hashtable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** Real files of the host, through the bundle that is shipped, configured as users do it. */
@InFelix
class HostFileIT {
  private static final String FILE = "/host/data/file";

  @TempDir private Path folder;
  private Bundle bundle;
  private Configuration configuration;

  @BeforeEach
  void install(BundleContext context, ConfigurationAdmin configurations) throws Exception {
    java.nio.file.Files.writeString(folder.resolve("file"), "of the host");
    configuration = configurations.getConfiguration("io.faultline.driver.hostfile", "?");
    Dictionary<String, Object> properties = new Hashtable<>();
    // As a .cfg file has it.
    properties.put("roots", "data=" + folder + ", other=" + folder);
    properties.put("writable", "data");
    configuration.update(properties);
    Path jar = Path.of(context.getProperty("faultline.available"), "hostfile.jar");
    bundle = context.installBundle(jar.toUri().toString());
    bundle.start();
  }

  @AfterEach
  void uninstall() throws Exception {
    if (bundle.getState() != Bundle.UNINSTALLED) {
      bundle.uninstall();
    }
    configuration.delete();
  }

  private static int open(Program program) throws Exception {
    int[] fd = {-1};
    Eventually.holds(FILE + " is there", () -> {
      try {
        fd[0] = program.open(FILE);
        return true;
      } catch (ErrnoException notYet) {
        return false;
      }
    });
    return fd[0];
  }

  private String stored() throws Exception {
    return java.nio.file.Files.readString(folder.resolve("file"));
  }

  @Test
  void aMappingIsTheFile(Tasks tasks, Files files, VmaService memory) throws Exception {
    try (Program program = Program.start(tasks, files, memory)) {
      long address = program.map(open(program), 1);
      assertThat(program.text(address)).isEqualTo("of the host");
      program.putText(address, "OF");
      files.sync();
      assertThat(stored()).isEqualTo("OF the host");
    }
  }

  @Test
  void theBundleWritesBackBeforeItGoesAndItsMappingsAreSigbus(
      Tasks tasks, Files files, VmaService memory) throws Exception {
    try (Program program = Program.start(tasks, files, memory)) {
      long address = program.map(open(program), 1);
      program.putText(address, "LAST WORDS!");

      bundle.uninstall();

      assertThat(stored()).isEqualTo("LAST WORDS!");
      assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);
      assertThat(files.pageCache().cached()).isZero();
    }
  }
}
