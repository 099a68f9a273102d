// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.component.PageAccounts.Owner;
import io.faultline.device.Device;
import io.faultline.device.MmapProvider;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceRegistration;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@link Device}'s properties from a service. */
final class DeviceProperties {
  private static final DeviceRegistration DEFAULTS = DeviceRegistration.of("defaults");
  private static final Pattern OCTAL = Pattern.compile("0?[0-7]{3}");

  private DeviceProperties() {}

  /**
   * The registration that the properties ask for. Numbers may be of any integer type, or texts, as
   * they come from configuration files.
   *
   * @param property the service's property of a name, or null
   * @throws IllegalArgumentException naming the property that is missing or malformed
   */
  static DeviceRegistration read(
      Function<String, @Nullable Object> property, Owner owner) {
    Object name = property.apply(Device.PREFIX_ + "name");
    if (!(name instanceof String text)) {
      throw new IllegalArgumentException(
          Device.PREFIX_ + "name: " + (name == null ? "missing" : name + " is no text")
              + "; annotate the component with @Device(name = \"…\"), or register the "
              + MmapProvider.class.getSimpleName() + " with this property");
    }
    return new DeviceRegistration(
        text,
        integer(property, "major", DEFAULTS.major()),
        integer(property, "minor", DEFAULTS.minor()),
        integer(property, "count", DEFAULTS.count()),
        integer(property, "timeoutMillis", DEFAULTS.timeoutMillis()),
        owner.symbolicName(),
        owner.version(),
        unplug(property),
        mode(property));
  }

  private static int mode(Function<String, @Nullable Object> property) {
    Object value = property.apply(Device.PREFIX_ + "mode");
    if (value == null) {
      return DEFAULTS.mode();
    }
    // A number would leave open whether it is meant in octal notation.
    if (!(value instanceof String text) || !OCTAL.matcher(text.strip()).matches()) {
      throw new IllegalArgumentException(
          Device.PREFIX_ + "mode: " + value + " is no mode; give a text of octal digits, as 0600");
    }
    return Integer.parseInt(text.strip(), 8);
  }

  private static UnplugPolicy unplug(Function<String, @Nullable Object> property) {
    Object value = property.apply(Device.PREFIX_ + "unplug");
    if (value == null) {
      return DEFAULTS.unplug();
    }
    for (UnplugPolicy policy : UnplugPolicy.values()) {
      if (policy.name().equalsIgnoreCase(value.toString().strip())) {
        return policy;
      }
    }
    throw new IllegalArgumentException(
        Device.PREFIX_ + "unplug: " + value + " is no policy; give sigbus, wait or zero");
  }

  private static int integer(
      Function<String, @Nullable Object> property, String name, int absent) {
    Object value = property.apply(Device.PREFIX_ + name);
    try {
      return switch (value) {
        case null -> absent;
        case Integer i -> i;
        case Long l -> Math.toIntExact(l);
        case Short s -> s;
        case Byte b -> b;
        case String s -> Integer.parseInt(s.strip());
        default -> throw new NumberFormatException();
      };
    } catch (ArithmeticException | NumberFormatException e) {
      throw new IllegalArgumentException(
          Device.PREFIX_ + name + ": " + value + " is no int; give a decimal number", e);
    }
  }
}
