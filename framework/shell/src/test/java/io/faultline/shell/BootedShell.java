// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell;

import io.faultline.driver.hostfile.HostFiles;
import io.faultline.driver.hostfile.HostFilesConfig;
import io.faultline.driver.scullp.Scullp;
import io.faultline.driver.scullp.ScullpConfig;
import io.faultline.driver.swapzram.SwapZram;
import io.faultline.driver.swapzram.SwapZramConfig;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.TraceListener;
import io.faultline.mm.ErrnoException;
import io.faultline.shell.command.Brk;
import io.faultline.shell.command.Cache;
import io.faultline.shell.command.ClearRefs;
import io.faultline.shell.command.Close;
import io.faultline.shell.command.Core;
import io.faultline.shell.command.CorePattern;
import io.faultline.shell.command.CoredumpFilter;
import io.faultline.shell.command.DevicesCommand;
import io.faultline.shell.command.Drivers;
import io.faultline.shell.command.Faults;
import io.faultline.shell.command.FilesCommand;
import io.faultline.shell.command.Fork;
import io.faultline.shell.command.Free;
import io.faultline.shell.command.Fsync;
import io.faultline.shell.command.Iomem;
import io.faultline.shell.command.Kill;
import io.faultline.shell.command.Madvise;
import io.faultline.shell.command.Maps;
import io.faultline.shell.command.Meminfo;
import io.faultline.shell.command.Mlock;
import io.faultline.shell.command.Mmap;
import io.faultline.shell.command.Mprotect;
import io.faultline.shell.command.Mremap;
import io.faultline.shell.command.Msync;
import io.faultline.shell.command.Munlock;
import io.faultline.shell.command.Munmap;
import io.faultline.shell.command.OomScoreAdj;
import io.faultline.shell.command.Open;
import io.faultline.shell.command.PagemapCommand;
import io.faultline.shell.command.Peek;
import io.faultline.shell.command.Poke;
import io.faultline.shell.command.Populate;
import io.faultline.shell.command.ProcCommand;
import io.faultline.shell.command.Ps;
import io.faultline.shell.command.Read;
import io.faultline.shell.command.Smaps;
import io.faultline.shell.command.Spawn;
import io.faultline.shell.command.Statm;
import io.faultline.shell.command.Status;
import io.faultline.shell.command.Swapoff;
import io.faultline.shell.command.Swapon;
import io.faultline.shell.command.SwapsCommand;
import io.faultline.shell.command.Sync;
import io.faultline.shell.command.Truncate;
import io.faultline.shell.command.Use;
import io.faultline.shell.command.Vmas;
import io.faultline.shell.command.Vmstat;
import io.faultline.shell.command.Write;
import io.faultline.shell.command.Zoneinfo;
import io.faultline.shell.trace.Trace;
import io.faultline.testkit.BootedKernel;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;

/** A kernel with scullp's driver, and a Gogo session with every command that needs a kernel. */
public final class BootedShell implements AutoCloseable {
  private final BootedKernel kernel = BootedKernel.boot(16 << 20, KernelProfile.LINUX_6_18);
  private final Set<TraceListener> listeners = new CopyOnWriteArraySet<>();
  private final AutoCloseable scullp;
  private final Gogo gogo = new Gogo();

  public BootedShell() {
    scullp =
        kernel
            .devices()
            .register(
                DeviceRegistration.of("scullp").withCount(4),
                new Scullp(kernel.pages("scullp"), defaults()));
    var tasks = kernel.tasks();
    var files = kernel.files();
    var vmas = kernel.vmas();
    var faults = kernel.faults();
    var devices = kernel.devices();
    gogo.with(new Ps(tasks, vmas, faults))
        .with(new Spawn(tasks, vmas, faults))
        .with(new Fork(tasks, vmas, faults))
        .with(new Kill(tasks))
        .with(new Use(tasks))
        .with(new Core(tasks, kernel.cores()))
        .with(new CoredumpFilter(tasks, kernel.cores()))
        .with(new CorePattern(kernel.cores()))
        .with(new Maps(tasks, kernel.proc()))
        .with(new Smaps(tasks, kernel.proc()))
        .with(new Status(tasks, kernel.proc()))
        .with(new Statm(tasks, kernel.proc()))
        .with(new PagemapCommand(tasks, kernel.proc()))
        .with(new ClearRefs(tasks, kernel.proc()))
        .with(new ProcCommand(tasks, kernel.proc()))
        .with(new Free(kernel.proc()))
        .with(new Meminfo(kernel.proc()))
        .with(new Vmstat(kernel.proc()))
        .with(new Iomem(kernel.proc()))
        .with(new Zoneinfo(kernel.proc()))
        .with(new SwapsCommand(kernel.proc()))
        .with(new Swapon(kernel.swaps()))
        .with(new Swapoff(kernel.swaps()))
        .with(new OomScoreAdj(tasks))
        .with(new Vmas(tasks, vmas, kernel.proc(), devices))
        .with(new FilesCommand(tasks))
        .with(new Open(tasks, files))
        .with(new Close(tasks, files))
        .with(new Read(tasks, files))
        .with(new Write(tasks, files))
        .with(new Truncate(tasks, files))
        .with(new Fsync(tasks, files))
        .with(new Sync(files))
        .with(new Cache(files))
        .with(new Mmap(tasks, vmas))
        .with(new Munmap(tasks, vmas))
        .with(new Mprotect(tasks, vmas))
        .with(new Mremap(tasks, vmas))
        .with(new Brk(tasks, vmas))
        .with(new Madvise(tasks, vmas))
        .with(new Mlock(tasks, vmas))
        .with(new Munlock(tasks, vmas))
        .with(new Msync(tasks, vmas))
        .with(new Populate(tasks, faults))
        .with(new Peek(tasks))
        .with(new Poke(tasks))
        .with(new DevicesCommand(devices))
        .with(new Drivers(devices))
        .with(new Faults(tasks, faults))
        .with(
            new Trace(tasks, listener -> {
              listeners.add(listener);
              return () -> listeners.remove(listener);
            }));
    kernel.trace(event -> listeners.forEach(listener -> listener.event(event)));
  }

  public BootedKernel kernel() {
    return kernel;
  }

  public Gogo gogo() {
    return gogo;
  }

  /** What a person sees after typing lines one after the other: the answer to the last. */
  public String type(String... lines) {
    String answer = "";
    for (String line : lines) {
      answer = gogo.type(line);
    }
    return answer;
  }

  /** Mounts a folder of the host as {@code /host/data}, to be written. */
  public AutoCloseable mount(Path folder) {
    HostFilesConfig config = (HostFilesConfig) Proxy.newProxyInstance(
        HostFilesConfig.class.getClassLoader(), new Class<?>[] {HostFilesConfig.class},
        (proxy, method, values) -> switch (method.getName()) {
          case "roots" -> new String[] {"data=" + folder};
          case "writable" -> new String[] {"data"};
          default -> method.getDefaultValue();
        });
    return kernel.devices().mount(
        "/host", DeviceRegistration.of("hostfile"), new HostFiles(config));
  }

  /** Switches a swap device on, compressed memory of 1 MiB, as {@code insmod swap-zram} does. */
  public void zram(String name) throws ErrnoException {
    SwapZramConfig config = (SwapZramConfig) Proxy.newProxyInstance(
        SwapZramConfig.class.getClassLoader(), new Class<?>[] {SwapZramConfig.class},
        (proxy, method, values) -> switch (method.getName()) {
          case "name" -> name;
          case "size_bytes" -> 1L << 20;
          default -> method.getDefaultValue();
        });
    kernel.swaps().swapon(new SwapZram(config), 100);
  }

  /** Takes scullp's driver away, as uninstalling its bundle does. */
  public void unplug() throws Exception {
    scullp.close();
  }

  @Override
  public void close() {
    gogo.close();
    kernel.close();
  }

  /** The configuration that Declarative Services would hand over where nobody configured anything. */
  private static ScullpConfig defaults() {
    return (ScullpConfig) Proxy.newProxyInstance(ScullpConfig.class.getClassLoader(),
        new Class<?>[] {ScullpConfig.class}, (proxy, method, values) -> method.getDefaultValue());
  }
}
