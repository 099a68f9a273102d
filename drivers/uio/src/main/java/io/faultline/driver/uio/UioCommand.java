// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import java.util.ArrayList;
import java.util.List;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code uio}: what Linux has in {@code /sys/class/uio/uio0}, and the device's side of an interrupt. */
@Component(
    service = UioCommand.class,
    property = {"osgi.command.scope=faultline", "osgi.command.function=uio"})
public final class UioCommand {
  private final UioDevice device;

  /** For one device. */
  @Activate
  public UioCommand(@Reference UioDevice device) {
    this.device = device;
  }

  /** Tells about the device, or makes it raise its interrupt. */
  @Descriptor("""
      the device behind /dev/uio0
      usage: uio [info | irq]
      info: the maps, a line each, as in /sys/class/uio/uio0/maps: map N is mapped with offset N pages. OFFSET
      is where in its first page the device's memory begins. Below: how many interrupts came, and whether
      the next one is let through.
      irq: the device raises its interrupt. It is counted and masked; write a 1 to /dev/uio0 to unmask it.
      example: uio
      example: uio irq""")
  public String uio(String... words) {
    String word = words.length == 0 ? "info" : words[0];
    if (words.length > 1 || !List.of("info", "irq").contains(word)) {
      throw new IllegalArgumentException("uio: info, irq or nothing; example: uio irq");
    }
    if (word.equals("irq")) {
      device.interrupts().raise();
      return interrupts();
    }
    List<String> lines = new ArrayList<>();
    lines.add("MAP   NAME       TYPE      ADDR                SIZE                OFFSET");
    for (int i = 0; i < device.maps().size(); i++) {
      UioMap map = device.maps().get(i);
      lines.add(
          "map%d  %-9s  %-8s  0x%016x  0x%016x  0x%x".formatted(
              i, map.name(), map.type().name().toLowerCase(java.util.Locale.ROOT), map.address(),
              map.size(), map.offset()));
    }
    lines.add(interrupts());
    return String.join("\n", lines);
  }

  private String interrupts() {
    Interrupts interrupts = device.interrupts();
    return "event " + Integer.toUnsignedString(interrupts.count()) + ", interrupt "
        + (interrupts.isEnabled() ? "enabled" : "masked")
        + (interrupts.isPending() ? ", pending" : "");
  }
}
