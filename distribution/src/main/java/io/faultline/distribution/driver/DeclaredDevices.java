// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Objects;
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
    String header = Objects.requireNonNullElse(bundle.getHeaders().get("Service-Component"), "");
    int count = 0;
    for (String path : header.split(",")) {
      URL entry = path.isBlank() ? null : bundle.getEntry(path.strip());
      if (entry != null) {
        count += countIn(entry);
      }
    }
    return Math.max(1, count);
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
