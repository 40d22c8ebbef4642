//! The live view of a running network: a table that is drawn anew each second on a terminal, and printed now
//! and then where there is none.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Row, Table};

use crate::table::{HEADS, accounts, row, text};
use crate::{Cluster, NetworkStatus};

/// How often the table is drawn on a terminal.
const REDRAW_EVERY: Duration = Duration::from_secs(1);
/// How often it is printed elsewhere.
const PRINT_EVERY: Duration = Duration::from_secs(10);
/// How soon a key or a signal is noticed.
const POLL: Duration = Duration::from_millis(100);

/// Shows the network until `stop` is set (a signal) or, on a terminal, Ctrl-C or q is pressed.
pub(crate) fn show(cluster: &Cluster, stop: &Arc<AtomicBool>) -> io::Result<()> {
    if io::stdout().is_terminal() && io::stdin().is_terminal() {
        let mut terminal = ratatui::try_init()?;
        let result = draw_until(cluster, stop, &mut terminal);
        ratatui::try_restore()?;
        return result;
    }
    let mut printed: Option<Instant> = None;
    while !stop.load(Ordering::Relaxed) {
        if printed.is_none_or(|printed| printed.elapsed() >= PRINT_EVERY) {
            println!("{}", text(&cluster.status().nodes));
            printed = Some(Instant::now());
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

fn draw_until(
    cluster: &Cluster,
    stop: &Arc<AtomicBool>,
    terminal: &mut DefaultTerminal,
) -> io::Result<()> {
    let accounts = accounts(cluster.network());
    while !stop.load(Ordering::Relaxed) {
        let status = cluster.status();
        terminal.draw(|frame| draw(frame, &status, &accounts, cluster))?;
        let drawn = Instant::now();
        while drawn.elapsed() < REDRAW_EVERY && !stop.load(Ordering::Relaxed) {
            if event::poll(POLL)? && is_quit(&event::read()?) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn is_quit(event: &Event) -> bool {
    // In raw mode Ctrl-C is a key, not a signal.
    matches!(event, Event::Key(key) if key.kind == KeyEventKind::Press
        && (key.code == KeyCode::Char('q')
            || key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)))
}

fn draw(frame: &mut Frame<'_>, status: &NetworkStatus, accounts: &str, cluster: &Cluster) {
    let nodes = u16::try_from(status.nodes.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let [title, table, rest] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(nodes),
        Constraint::Min(0),
    ])
    .areas(frame.area());
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let heading = format!(
        "Pyrite private network, chain {}, in {}: Ctrl-C stops it",
        status.chain,
        cluster.dir().display()
    );
    frame.render_widget(Paragraph::new(Line::styled(heading, bold)), title);

    let rows: Vec<_> = status
        .nodes
        .iter()
        .map(|node| (node.pid.is_some(), row(node)))
        .collect();
    let widths = HEADS.iter().enumerate().map(|(column, head)| {
        let cells = rows.iter().map(|(_, row)| row[column].chars().count());
        let widest = cells.chain([head.len()]).max().unwrap_or(0);
        Constraint::Length(u16::try_from(widest).unwrap_or(u16::MAX))
    });
    let widths: Vec<_> = widths.collect();
    let body = rows.into_iter().map(|(up, row)| {
        let style = if up {
            Style::new()
        } else {
            Style::new().fg(Color::Red)
        };
        Row::new(row).style(style)
    });
    frame.render_widget(
        Table::new(body, widths)
            .header(Row::new(HEADS).style(bold))
            .column_spacing(2),
        table,
    );
    frame.render_widget(Paragraph::new(accounts), rest);
}
