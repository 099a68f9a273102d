// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import aQute.bnd.osgi.Jar;
import aQute.bnd.osgi.Resource;
import io.faultline.device.MmapProvider;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * The device nodes of one component, as its description in the finished bundle has them.
 *
 * @param name {@code device.name}
 * @param count {@code device.count}
 */
record DeviceNodes(String name, int count) {
  /** What the kernel's device table takes. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,63}");

  /**
   * Those of all components.
   *
   * @throws ComplaintException when a component has devices but is not registered as a driver
   */
  static List<DeviceNodes> of(Jar bundle) throws Exception {
    List<DeviceNodes> nodes = new ArrayList<>();
    for (Map.Entry<String, Resource> file : bundle.getResources().entrySet()) {
      if (file.getKey().startsWith("OSGI-INF/") && file.getKey().endsWith(".xml")) {
        try (InputStream in = file.getValue().openInputStream()) {
          add(nodes, DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder().parse(in)
              .getDocumentElement());
        }
      }
    }
    return nodes;
  }

  private static void add(List<DeviceNodes> nodes, Element component) throws ComplaintException {
    Map<String, String> properties = values(component, "property", "name", "value");
    String name = properties.get("device.name");
    if (name == null) {
      return; // A component of another kind.
    }
    if (!NAME.matcher(name).matches()) {
      throw new ComplaintException(
          "@Device(name = \"%s\") is no device name; give up to 64 letters, digits, '.', '_' or '-'"
              .formatted(name));
    }
    var services = values(component, "provide", "interface", "interface").keySet();
    if (!services.contains(MmapProvider.class.getName())) {
      throw new ComplaintException(
          component.getAttribute("name")
              + " is not registered as a driver but as "
              + services
              + ": say @Component(service = MmapProvider.class)");
    }
    nodes.add(
        new DeviceNodes(name, Integer.parseInt(properties.getOrDefault("device.count", "1"))));
  }

  private static Map<String, String> values(
      Element component, String tag, String key, String value) {
    Map<String, String> values = new LinkedHashMap<>();
    NodeList found = component.getElementsByTagName(tag);
    for (int i = 0; i < found.getLength(); i++) {
      Element element = (Element) found.item(i);
      values.put(element.getAttribute(key), element.getAttribute(value));
    }
    return values;
  }

  /** Their paths, as the kernel will name them. */
  List<String> paths() {
    return count == 1
        ? List.of("/dev/" + name)
        : IntStream.range(0, count).mapToObj(i -> "/dev/" + name + i).toList();
  }
}
