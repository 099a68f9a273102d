// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.osgi.framework.Bundle;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * How many devices a driver's bundle says it will bring. Declarative Services starts one component
 * after the other: whoever stops waiting at the first device misses the rest.
 */
final class DeclaredDevices {
  private DeclaredDevices() {}

  /** At least 1: a driver that registers its services by hand declares none. */
  static int count(Bundle bundle) {
    return Math.max(1, counts(bundle).sum());
  }

  /** How many services for devices, at least 1. */
  static int services(Bundle bundle) {
    return Math.max(1, (int) counts(bundle).filter(count -> count > 0).count());
  }

  private static IntStream counts(Bundle bundle) {
    String header = Objects.requireNonNullElse(bundle.getHeaders().get("Service-Component"), "");
    return Arrays.stream(header.split(","))
        .filter(path -> !path.isBlank())
        .map(path -> bundle.getEntry(path.strip()))
        .filter(Objects::nonNull)
        .mapToInt(DeclaredDevices::countIn);
  }

  private static int countIn(URL description) {
    try (InputStream in = description.openStream()) {
      Document document =
          DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder().parse(in);
      return "".equals(property(document, "device.name"))
          ? 0
          : Math.max(1, Integer.parseInt("0" + property(document, "device.count")));
    } catch (IOException | ParserConfigurationException | SAXException | NumberFormatException e) {
      return 0; // Declarative Services says what is wrong with it.
    }
  }

  private static String property(Document document, String name) {
    NodeList properties = document.getElementsByTagName("property");
    for (int i = 0; i < properties.getLength(); i++) {
      if (properties.item(i) instanceof Element e && e.getAttribute("name").equals(name)) {
        return e.getAttribute("value");
      }
    }
    return "";
  }
}
