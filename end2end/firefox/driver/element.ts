import { expect } from "@playwright/test";
import type { ElementHandle, Frame } from "puppeteer-core";

import type { ElementQuery } from "../../support/page-elements";

/** What a test can read of an element. */
interface Snapshot {
  /** Its visible text, with single spaces. */
  text: string;
  attributes: Record<string, string>;
  isVisible: boolean;
  isEnabled: boolean;
  isFocused: boolean;
}

/** The elements of a page or frame that match a query, whenever they are asked for. */
export class FirefoxElement {
  constructor(
    private readonly frame: () => Frame,
    private readonly query: ElementQuery,
  ) {}

  async count(): Promise<number> {
    return (await this.snapshots()).length;
  }

  async texts(): Promise<string[]> {
    return (await this.snapshots()).map(({ text }) => text);
  }

  /** The visible text of the first; undefined if there is none. */
  async text(): Promise<string | undefined> {
    return (await this.first())?.text;
  }

  /** An attribute of the first; undefined if it is not set, or there is no element. */
  async attribute(name: string): Promise<string | undefined> {
    return (await this.first())?.attributes[name];
  }

  async isVisible(): Promise<boolean> {
    return (await this.first())?.isVisible ?? false;
  }

  async isFocused(): Promise<boolean> {
    return (await this.first())?.isFocused ?? false;
  }

  /** Waits until it is visible and enabled, and clicks it with the mouse. */
  async click(): Promise<void> {
    await (await this.ready()).click();
  }

  /** Waits until it is visible and enabled, and focuses it. */
  async focus(): Promise<void> {
    await (await this.ready()).focus();
  }

  /** Replaces the text of a field, with the events of typing. */
  async fill(text: string): Promise<void> {
    const field = await this.ready();
    await field.evaluate((field, text) => {
      const input = field as HTMLInputElement;
      input.focus();
      input.select();
      document.execCommand(text === "" ? "delete" : "insertText", false, text);
    }, text);
  }

  private async first(): Promise<Snapshot | undefined> {
    return (await this.snapshots())[0];
  }

  private async snapshots(): Promise<Snapshot[]> {
    const elements = await this.frame().evaluateHandle(matchingElements, this.query);
    try {
      return await elements.evaluate((elements) =>
        elements.map((element) => ({
          text: (element as HTMLElement).innerText.replace(/\s+/g, " ").trim(),
          attributes: Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value])),
          isVisible: element.checkVisibility({ visibilityProperty: true }),
          isEnabled: !element.matches(":disabled"),
          isFocused: element === document.activeElement,
        })),
      );
    } finally {
      await elements.dispose();
    }
  }

  private async ready(): Promise<ElementHandle> {
    await expect
      .poll(() => this.first(), { message: `usable: ${JSON.stringify(this.query)}` })
      .toMatchObject({ isVisible: true, isEnabled: true });
    const elements = await this.frame().evaluateHandle(matchingElements, this.query);
    const first = (await elements.evaluateHandle(([first]) => first)).asElement();
    if (!first) throw new Error(`There is no element ${JSON.stringify(this.query)} any more.`);
    return first as ElementHandle;
  }
}

/**
 * Runs in the page. Puppeteer's own queries by role ask Firefox for its whole accessibility tree, which takes
 * up to a second each: accessible-names.spec.ts compares the two.
 */
function matchingElements(query: ElementQuery): Element[] {
  if ("css" in query) return [...document.querySelectorAll(query.css)];
  if ("testId" in query) return [...document.querySelectorAll(`[data-testid="${query.testId}"]`)];
  const ofRole = {
    button: "button",
    list: "ul",
    searchbox: "input[type=search]",
    textbox: "input:not([type]), input[type=text]",
  };
  const nameOf = (element: Element) => {
    const [label] = (element as Partial<HTMLInputElement>).labels ?? [];
    return element.ariaLabel ?? label?.textContent ?? element.textContent;
  };
  const elements = [...document.querySelectorAll(ofRole[query.role])];
  return elements.filter((element) => nameOf(element).trim() === query.name);
}
