import { expect, type Page } from '@playwright/test';

import { panel } from './dashboard';
import { digits } from './test';

export interface Line {
  line: number;
  quantity: number;
  gross: number;
  discount: number;
  refundedQuantity: number;
  refundedAmount: number;
}

export interface Order {
  path: string;
  lines: Line[];
  /** What it was sold for, in minor units. */
  sold: number;
}

/** A recent order of which nothing has come back, with a line of two units or more. */
export async function untouchedOrder(page: Page): Promise<Order> {
  const { orders } = await (await page.request.get('/api/vendor/orders?status=delivered')).json();
  for (const { orderId } of orders) {
    const order = await find(page, orderId);
    if (order.lines.some((line) => line.quantity > 1) && order.lines.every((line) => line.refundedQuantity === 0 && line.refundedAmount === 0)) return order;
  }
  throw new Error('the demo has no such order among its newest');
}

export async function find(page: Page, id: string): Promise<Order> {
  const { lines } = (await (await page.request.get(`/api/vendor/orders/${encodeURIComponent(id)}`)).json()) as { lines: Line[] };
  return { path: `/orders/${encodeURIComponent(id)}`, lines, sold: sum(lines, (line) => line.gross - line.discount) };
}

/** The same order as it is now. */
export function again(page: Page, { path }: Order): Promise<Order> {
  return find(page, decodeURIComponent(path.split('/').pop()!));
}

export function refunded({ lines }: Order): number {
  return sum(lines, (line) => line.refundedAmount);
}

function sum(lines: Line[], of: (line: Line) => number): number {
  return lines.reduce((total, line) => total + of(line), 0);
}

/** Fills in how many units of a line come back. */
export async function fillUnits(page: Page, line: Line, units: number): Promise<void> {
  await page.locator(`#refund-quantity-${line.line}`).fill(String(units));
}

/** Asks what the form would refund. */
export async function review(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Review refund' }).click();
}

/** Says yes to it. */
export async function confirm(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Refund \D*\d/ }).click();
}

/** Gives back whatever is left of every line, by its units. */
export async function refundTheRest(page: Page, { lines }: Order): Promise<void> {
  for (const line of lines.filter((line) => line.quantity > line.refundedQuantity)) await fillUnits(page, line, line.quantity - line.refundedQuantity);
  await review(page);
  await confirm(page);
  await expect(page.getByRole('status')).toHaveText(/^Refunded \D*\d/);
}

/** What the dashboard says was returned, in minor units. */
export async function returnsOn(page: Page): Promise<number> {
  return digits(await panel(page, 'Returns').locator('.value').textContent());
}
