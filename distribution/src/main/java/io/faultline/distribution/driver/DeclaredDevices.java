// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.felix.service.command.CommandProcessor;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * How many devices and commands a driver's bundle says it will bring. Declarative Services starts one
 * component after the other: whoever stops waiting at the first device misses the rest.
 */
final class DeclaredDevices {
  private static final String COMPONENTS = "Service-Component";

  private DeclaredDevices() {}

  /** At least 1: a driver that registers its services by hand declares none. */
  static int count(Bundle bundle) {
    return Math.max(1, counts(bundle).sum());
  }

  /** How many services for devices, at least 1. */
  static int services(Bundle bundle) {
    return Math.max(1, (int) counts(bundle).filter(count -> count > 0).count());
  }

  /** How many of its services are commands for the shell. */
  static int commands(Bundle bundle) {
    return (int) descriptions(bundle)
        .filter(document -> property(document, CommandProcessor.COMMAND_FUNCTION) != null)
        .count();
  }

  /** Whether it leaves its services to Declarative Services. */
  static boolean hasComponents(Bundle bundle) {
    return bundle.getHeaders().get(COMPONENTS) != null;
  }

  private static IntStream counts(Bundle bundle) {
    return descriptions(bundle).mapToInt(DeclaredDevices::countIn);
  }

  private static Stream<Document> descriptions(Bundle bundle) {
    String header = Objects.requireNonNullElse(bundle.getHeaders().get(COMPONENTS), "");
    return Arrays.stream(header.split(","))
        .filter(path -> !path.isBlank())
        .map(path -> bundle.getEntry(path.strip()))
        .filter(Objects::nonNull)
        .flatMap(DeclaredDevices::read);
  }

  private static Stream<Document> read(URL description) {
    try (InputStream in = description.openStream()) {
      return Stream.of(
          DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder().parse(in));
    } catch (IOException | ParserConfigurationException | SAXException e) {
      return Stream.empty(); // Declarative Services says what is wrong with it.
    }
  }

  private static int countIn(Document document) {
    if (Objects.requireNonNullElse(property(document, "device.name"), "").isEmpty()) {
      return 0;
    }
    try {
      String count = Objects.requireNonNullElse(property(document, "device.count"), "");
      return Math.max(1, Integer.parseInt("0" + count));
    } catch (NumberFormatException e) {
      return 0; // As above.
    }
  }

  /** Its value, empty where it is one of several; null when there is no property of that name. */
  private static @Nullable String property(Document document, String name) {
    NodeList properties = document.getElementsByTagName("property");
    for (int i = 0; i < properties.getLength(); i++) {
      if (properties.item(i) instanceof Element e && e.getAttribute("name").equals(name)) {
        return e.getAttribute("value");
      }
    }
    return null;
  }
}
